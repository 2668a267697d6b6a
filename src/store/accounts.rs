//! Registered names: made and changed by the command line, also beside a running server, and looked up by the server.

use std::fmt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::database;
use super::error::StoreError;
use super::record::{Account, AccountId, NotRegistered};
use crate::wire::name::fold;

/// The columns that [`account`] reads.
const COLUMNS: &str = "SELECT id, name, admin, password_hash FROM accounts";

/// The accounts of a data folder, on a connection of their own.
#[derive(Debug)]
pub struct Accounts {
    db: Connection,
}

/// Why an account could not be made or changed. `Display` says what to do.
#[derive(Debug)]
pub enum AccountError {
    /// Somebody has the name, perhaps in another spelling.
    Taken {
        /// As it is registered.
        name: Box<str>,
    },
    /// Nobody has it.
    Unknown {
        /// As it was asked for.
        name: Box<str>,
    },
    /// It could be mistaken for an account's number.
    LooksLikeNumber {
        /// As it was asked for.
        name: Box<str>,
    },
    /// SQLite refused.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for AccountError {
    fn from(why: rusqlite::Error) -> AccountError {
        AccountError::Sqlite(why)
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountError::Taken { name } => {
                let name = name.escape_debug();
                write!(f, "the name {name} is taken; choose another, or change its password: gzy user passwd {name}")
            }
            AccountError::Unknown { name } => {
                write!(f, "no account is called {}; gzy user list shows them all", name.escape_debug())
            }
            AccountError::LooksLikeNumber { name } => {
                write!(f, "{name} is a number, and numbers stand for accounts; put a letter into the name")
            }
            AccountError::Sqlite(why) => write!(f, "cannot use the accounts in gzy.db: {why}; try again"),
        }
    }
}

impl std::error::Error for AccountError {}

impl Accounts {
    /// Opens the accounts of a data folder; makes folder and database when they are missing.
    pub fn open(data: &Path) -> Result<Accounts, StoreError> {
        database::open_beside(data).map(|db| Accounts { db })
    }

    /// Makes an account; gives its number. `hash` is PHC text, see [`crate::password::hash`].
    pub fn add(&self, name: &str, hash: &str) -> Result<AccountId, AccountError> {
        register(&self.db, name, hash)?.map_err(|why| match why {
            NotRegistered::LooksLikeNumber => AccountError::LooksLikeNumber { name: name.into() },
            NotRegistered::Taken => {
                let holder = find(&self.db, name).ok().flatten();
                AccountError::Taken { name: holder.map_or_else(|| name.into(), |account| account.name) }
            }
        })
    }

    /// Gives an account (by name or number) another password.
    pub fn set_password(&self, name: &str, hash: &str) -> Result<(), AccountError> {
        let account = self.named(name)?;
        set_password(&self.db, account.id, hash)?;
        Ok(())
    }

    /// Says whether an account (by name or number) may use `OPER`.
    pub fn set_admin(&self, name: &str, is_admin: bool) -> Result<(), AccountError> {
        let account = self.named(name)?;
        self.db.execute("UPDATE accounts SET admin = ?2 WHERE id = ?1", (account.id.0, is_admin))?;
        Ok(())
    }

    /// Removes an account (by name or number), from its groups too. What it said stays; its number is never given again. A group that
    /// was its own keeps the number as its owner: the rules hand it on.
    pub fn remove(&self, name: &str) -> Result<(), AccountError> {
        let account = self.named(name)?;
        let step = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        step.execute("DELETE FROM accounts WHERE id = ?1", [account.id.0])?;
        for table in ["members", "invitations", "markers", "conversations"] {
            step.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [account.id.0])?;
        }
        step.commit()?;
        Ok(())
    }

    /// All accounts, oldest first.
    pub fn list(&self) -> Result<Vec<Account>, AccountError> {
        let mut all = self.db.prepare(&format!("{COLUMNS} ORDER BY id"))?;
        let accounts = all.query_map([], account)?.collect::<rusqlite::Result<_>>()?;
        Ok(accounts)
    }

    fn named(&self, name: &str) -> Result<Account, AccountError> {
        find(&self.db, name)?.ok_or_else(|| AccountError::Unknown { name: name.into() })
    }
}

/// Makes an account; gives its number, or why there is none. `hash` is PHC text.
pub fn register(db: &Connection, name: &str, hash: &str) -> rusqlite::Result<Result<AccountId, NotRegistered>> {
    if name.parse::<u64>().is_ok() {
        return Ok(Err(NotRegistered::LooksLikeNumber));
    }
    let created_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let added = db.execute(
        "INSERT INTO accounts (name, folded, password_hash, created_ms) VALUES (?1, ?2, ?3, ?4)",
        (name, fold(name), hash, created_ms),
    );
    match added {
        Ok(_) => Ok(Ok(AccountId(db.last_insert_rowid() as u32))),
        Err(why) if why.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(Err(NotRegistered::Taken)),
        Err(why) => Err(why),
    }
}

/// Gives an account another password; false when there is no such account.
pub fn set_password(db: &Connection, account: AccountId, hash: &str) -> rusqlite::Result<bool> {
    let changed = db.execute("UPDATE accounts SET password_hash = ?2 WHERE id = ?1", (account.0, hash))?;
    Ok(changed > 0)
}

/// An account by its name (any spelling) or its number. No name is a number, so the two never compete.
pub fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<Account>> {
    match name.parse::<u64>() {
        Ok(id) => {
            let id = i64::try_from(id).unwrap_or(i64::MAX);
            db.query_row(&format!("{COLUMNS} WHERE id = ?1"), [id], account).optional()
        }
        Err(_) => db.query_row(&format!("{COLUMNS} WHERE folded = ?1"), [fold(name)], account).optional(),
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: AccountId(row.get(0)?),
        name: row.get_ref(1)?.as_str()?.into(),
        admin: row.get(2)?,
        password_hash: row.get_ref(3)?.as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> (tempfile::TempDir, Accounts) {
        let dir = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(dir.path()).unwrap();
        (dir, accounts)
    }

    #[test]
    fn numbers_begin_at_1000_and_are_never_given_again() {
        let (_dir, accounts) = accounts();
        assert_eq!(accounts.add("anna", "h").unwrap(), AccountId(1000));
        assert_eq!(accounts.add("小阳", "h").unwrap(), AccountId(1001));
        accounts.remove("小阳").unwrap();
        assert_eq!(accounts.add("ben", "h").unwrap(), AccountId(1002));
        assert!(accounts.add("小阳", "h").is_ok(), "the name is free again");
    }

    #[test]
    fn a_name_is_taken_in_every_spelling_and_found_by_name_and_number() {
        let (_dir, accounts) = accounts();
        accounts.add("Zoé", "h").unwrap();
        let said = accounts.add("ZOE\u{301}", "h").unwrap_err().to_string();
        assert_eq!(said, "the name Zoé is taken; choose another, or change its password: gzy user passwd Zoé");
        for spelling in ["zoé", "ZOE\u{301}", "1000"] {
            assert_eq!(&*find(&accounts.db, spelling).unwrap().unwrap().name, "Zoé", "{spelling}");
        }
        assert!(matches!(accounts.add("1000", "h"), Err(AccountError::LooksLikeNumber { .. })));
        assert_eq!(find(&accounts.db, "18446744073709551615").unwrap(), None);
    }

    #[test]
    fn passwords_and_rights_change_and_strangers_are_named() {
        let (_dir, accounts) = accounts();
        accounts.add("anna", "old").unwrap();
        accounts.set_password("ANNA", "new").unwrap();
        accounts.set_admin("1000", true).unwrap();
        let anna = Account { id: AccountId(1000), name: "anna".into(), admin: true, password_hash: "new".into() };
        assert_eq!(accounts.list().unwrap(), [anna]);
        accounts.set_admin("anna", false).unwrap();
        assert!(!accounts.list().unwrap()[0].admin);
        for refused in [accounts.remove("eve"), accounts.set_password("eve", "h"), accounts.set_admin("eve", true)] {
            assert_eq!(refused.unwrap_err().to_string(), "no account is called eve; gzy user list shows them all");
        }
    }
}
