//! Who is registered: names and numbers, and which connections of each account are here.

use std::collections::HashMap;
use std::rc::Rc;

use crate::store::directory::AccountEntry;
use crate::store::record::AccountId;
use crate::wire::name::{Key, Nick};

use super::session::Login;
use super::{ConnId, RoomId};

/// Nicks that people take for a part of the server; nobody can have them.
const RESERVED: [&str; 7] = ["nickserv", "chanserv", "memoserv", "operserv", "saslserv", "gzy", WEB_GUEST];

/// What guests are called who bring files by HTTP. Nobody else is.
pub const WEB_GUEST: &str = "web-guest";

/// One account. Its name is its nick, on every connection that is logged in to it.
#[derive(Debug)]
pub struct Account {
    /// As registered.
    pub name: Nick,
    /// May use `OPER`.
    pub admin: bool,
    /// The display name, when it has chosen one.
    pub display: Option<Box<str>>,
    /// Its connections in the order in which they came; the first is its lead. Empty when it is away.
    pub devices: Vec<ConnId>,
    /// The groups that it is a member of, here or away.
    pub groups: Vec<RoomId>,
    /// The groups that it is invited to, oldest first.
    pub invited: Vec<RoomId>,
}

/// All accounts. The rules hold every name in memory, so that nobody takes one by being quicker than the store.
#[derive(Default, Debug)]
pub struct Accounts {
    by_id: HashMap<AccountId, Account>,
    /// By the name's key, and by its skeleton where that is nobody else's.
    by_name: HashMap<Box<str>, AccountId>,
}

impl Accounts {
    /// Takes in what the store holds.
    pub fn new(entries: Vec<AccountEntry>) -> Accounts {
        let mut accounts = Accounts::default();
        entries.into_iter().for_each(|entry| accounts.add(entry));
        accounts
    }

    /// Takes in one account. One whose name is no legal nick cannot be talked to, and is left out.
    pub fn add(&mut self, entry: AccountEntry) {
        let Ok(name) = Nick::parse(&entry.name) else { return };
        let (key, skeleton) = (name.key(), name.skeleton());
        self.by_name.entry(skeleton.as_str().into()).or_insert(entry.id);
        self.by_name.insert(key.as_str().into(), entry.id);
        let account = Account {
            name,
            admin: entry.admin,
            display: entry.display,
            devices: Vec::new(),
            groups: Vec::new(),
            invited: Vec::new(),
        };
        self.by_id.entry(entry.id).or_insert(account);
    }

    /// Forgets an account; gives it back.
    pub fn remove(&mut self, id: AccountId) -> Option<Account> {
        self.by_name.retain(|_, holder| *holder != id);
        self.by_id.remove(&id)
    }

    /// An account by its number.
    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.by_id.get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.by_id.get_mut(&id)
    }

    /// Every number that is in use.
    pub fn ids(&self) -> impl Iterator<Item = AccountId> {
        self.by_id.keys().copied()
    }

    /// The account that somebody means by a name (any spelling) or a number.
    pub fn meant(&self, text: &str) -> Option<AccountId> {
        if let Ok(number) = text.parse::<u32>() {
            return Some(AccountId(number)).filter(|id| self.by_id.contains_key(id));
        }
        let key = Key::of(text);
        let id = *self.by_name.get(key.as_str())?;
        (self.by_id.get(&id)?.name.key() == key).then_some(id)
    }

    /// The account that has this name, or one that looks like it.
    pub fn resembling(&self, nick: &Nick) -> Option<AccountId> {
        let by = |text: &str| self.by_name.get(text).copied();
        by(nick.key().as_str()).or_else(|| by(nick.skeleton().as_str()))
    }

    /// Who it is, as its sessions know it.
    pub fn login(&self, id: AccountId) -> Option<Login> {
        self.get(id).map(|account| Login { id, name: Rc::from(account.name.as_str()) })
    }

    /// The connections of an account; none when it is away.
    pub fn devices(&self, id: AccountId) -> &[ConnId] {
        self.get(id).map_or(&[], |account| &account.devices)
    }
}

/// Whether a nick would be taken for a part of the server.
pub fn is_reserved(nick: &Nick) -> bool {
    RESERVED.contains(&nick.key().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32, name: &str) -> AccountEntry {
        AccountEntry { id: AccountId(id), name: name.into(), display: None, admin: false }
    }

    fn nick(text: &str) -> Nick {
        Nick::parse(text).unwrap()
    }

    #[test]
    fn an_account_is_meant_by_its_name_in_any_spelling_and_by_its_number() {
        let accounts = Accounts::new(vec![entry(1000, "Anna"), entry(1001, "小阳")]);
        for text in ["Anna", "ANNA", "1000"] {
            assert_eq!(accounts.meant(text), Some(AccountId(1000)), "{text}");
        }
        assert_eq!(accounts.meant("小阳"), Some(AccountId(1001)));
        assert_eq!(accounts.meant("999"), None);
        assert_eq!(accounts.meant("ann"), None);
        assert_eq!(accounts.meant(""), None);
    }

    #[test]
    fn a_look_alike_resembles_but_is_not_meant() {
        let accounts = Accounts::new(vec![entry(1000, "anna")]);
        let cyrillic = "аnnа";
        assert_eq!(accounts.resembling(&nick(cyrillic)), Some(AccountId(1000)));
        assert_eq!(accounts.meant(cyrillic), None);
        assert_eq!(accounts.resembling(&nick("ann")), None);
    }

    #[test]
    fn a_removed_account_leaves_its_name_free() {
        let mut accounts = Accounts::new(vec![entry(1000, "anna")]);
        assert_eq!(accounts.remove(AccountId(1000)).map(|account| account.name), Some(nick("anna")));
        assert_eq!(accounts.resembling(&nick("anna")), None);
        assert_eq!(accounts.meant("1000"), None);
    }

    #[test]
    fn nobody_can_be_nickserv() {
        assert!(is_reserved(&nick("NickServ")));
        assert!(!is_reserved(&nick("nick")));
    }
}
