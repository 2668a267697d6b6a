//! `gzy user`: accounts from the command line, also beside a running server. Passwords come from standard input, never from arguments.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use crate::args::{UserAction, data_folder};
use crate::client_term::secret;
use crate::password;
use crate::store::accounts::Accounts;
use crate::store::record::AccountId;
use crate::wire::name::Nick;

/// Does it; the sentence is printed.
pub fn run(action: UserAction) -> Result<String, String> {
    match action {
        UserAction::Add(add) => {
            let nick = Nick::parse(&add.name).map_err(|why| why.to_string())?;
            let accounts = open(add.data)?;
            let hash = password::hash(&read_password()?).map_err(|why| why.to_string())?;
            let id = accounts.add(nick.as_str(), &hash).map_err(|why| why.to_string())?;
            Ok(format!("{} is account {}", nick.as_str(), id.0))
        }
        UserAction::Passwd(passwd) => {
            let accounts = open(passwd.data)?;
            let hash = password::hash(&read_password()?).map_err(|why| why.to_string())?;
            accounts.set_password(&passwd.name, &hash).map_err(|why| why.to_string())?;
            Ok(format!("{} has a new password", passwd.name.escape_debug()))
        }
        UserAction::Admin(admin) => {
            open(admin.data)?.set_admin(&admin.name, true).map_err(|why| why.to_string())?;
            Ok(format!("{} may use OPER", admin.name.escape_debug()))
        }
        UserAction::Remove(remove) => {
            open(remove.data)?.remove(&remove.name).map_err(|why| why.to_string())?;
            Ok(format!("{} is removed", remove.name.escape_debug()))
        }
        UserAction::List(list) => {
            let accounts = open(list.data)?.list().map_err(|why| why.to_string())?;
            let line = |id: AccountId, name: &str, admin: bool| {
                format!("{}\t{name}{}", id.0, if admin { "\tadmin" } else { "" })
            };
            let lines: Vec<String> =
                accounts.iter().map(|account| line(account.id, &account.name, account.admin)).collect();
            Ok(if lines.is_empty() {
                "there are no accounts; gzy user add NAME makes one".into()
            } else {
                lines.join("\n")
            })
        }
    }
}

fn open(data: Option<PathBuf>) -> Result<Accounts, String> {
    Accounts::open(&data_folder(data)).map_err(|why| why.to_string())
}

/// Typed unseen at a terminal, else the first line of standard input.
fn read_password() -> Result<String, String> {
    if io::stdin().is_terminal() {
        return secret::ask("password · 密码: ").ok_or_else(|| "no password was typed; nothing was changed".into());
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|why| format!("cannot read the password from standard input: {why}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
