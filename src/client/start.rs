//! What a client has to know before it dials, out of the command line, the settings and the locale.

use std::path::Path;

use super::Security;
use super::account::Credentials;
use super::known_servers::Trust;
use super::logins::Logins;
use super::pace::BROKEN_AFTER_MS;
use super::settings::{Colours, Key, SettingsFault, SettingsFile};
use super::words::{AccountSaying, Language, Opening, Saying, opening, say};
use crate::net::Address;
use crate::wire::fingerprint::{Fingerprint, Invitation};

/// What was asked for on the command line by everything that dials.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// `HOST`, `HOST:PORT` or `gzy://HOST:PORT#sha256=HEX`; the last server when `None`.
    pub host: Option<String>,
    /// Talk in clear.
    pub plain: bool,
    /// The host said that the server has a new key.
    pub accept_new_key: bool,
    /// Milliseconds of silence after which the link counts as broken, when not the usual ones.
    pub broken_after_ms: Option<u64>,
    /// The language, when not that of the settings.
    pub language: Option<Language>,
    /// Whether to paint, when not as in the settings.
    pub colours: Option<Colours>,
}

/// Everything that is known before dialing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// Where the server is.
    pub address: Address,
    /// How the talk is protected.
    pub security: Security,
    /// Milliseconds of silence after which the link counts as broken.
    pub broken_after_ms: u64,
    /// The language of the user.
    pub language: Language,
    /// Whether to paint.
    pub colours: Colours,
    /// The nick of the last time.
    pub nick: Option<String>,
    /// Sentences that the user should read before the talk begins.
    pub notes: Vec<String>,
    /// The account that is logged in to by itself.
    pub login: Option<Credentials>,
    settings: SettingsFile,
    logins: Logins,
}

impl Start {
    /// Puts it together. `folder`: the user's config folder. `variable` looks one up in the environment. The error is a sentence.
    pub fn new(wish: &Wish, folder: Option<&Path>, variable: impl Fn(&str) -> Option<String>) -> Result<Start, String> {
        let (settings, fault) = SettingsFile::load(folder);
        let language = wish
            .language
            .or_else(|| settings.settings.language())
            .unwrap_or_else(|| Language::of_environment(variable));
        let mut notes: Vec<String> = fault.iter().map(|fault| opening(language, &Opening::Settings(fault))).collect();
        let host = match (&wish.host, settings.settings.value(Key::Server)) {
            (Some(host), _) => host,
            (None, Some(last)) => {
                notes.push(opening(language, &Opening::LastServer(last)));
                last
            }
            (None, None) => return Err(opening(language, &Opening::NoServer)),
        };
        let (address, invited) = place(host).map_err(|why| opening(language, &why))?;
        let security = match (wish.plain, invited) {
            (true, Some(_)) => return Err(opening(language, &Opening::KeyInClear)),
            (true, None) => Security::Plain,
            (false, invited) => Security::Encrypted(Trust::new(folder, invited, wish.accept_new_key)),
        };
        let logins = Logins::of(folder);
        let login = logins.find(&address).unwrap_or_else(|fault| {
            notes.push(say(language, &Saying::Account(AccountSaying::Fault(&fault))));
            None
        });
        Ok(Start {
            address,
            security,
            broken_after_ms: wish.broken_after_ms.unwrap_or(BROKEN_AFTER_MS),
            language,
            colours: wish.colours.unwrap_or_else(|| settings.settings.colours()),
            nick: settings.settings.value(Key::Nick).map(str::to_owned),
            notes,
            login,
            settings,
            logins,
        })
    }

    /// Logs in to this account by itself from the next time on. Both outcomes are sentences.
    pub fn keep_login(&mut self, login: &Credentials) -> Result<String, String> {
        let tell = |saying: AccountSaying| say(self.language, &Saying::Account(saying));
        self.logins.keep(&self.address, login).map_err(|fault| tell(AccountSaying::Fault(&fault)))?;
        self.login = Some(login.clone());
        let path = self.logins.path().map_or_else(String::new, |path| path.display().to_string());
        Ok(tell(AccountSaying::Remembered(&path)))
    }

    /// Does not log in by itself any more. Both outcomes are sentences.
    pub fn forget_login(&mut self) -> Result<String, String> {
        let tell = |saying: AccountSaying| say(self.language, &Saying::Account(saying));
        let was_kept = self.logins.forget(&self.address).map_err(|fault| tell(AccountSaying::Fault(&fault)))?;
        self.login = None;
        Ok(tell(if was_kept { AccountSaying::Forgotten } else { AccountSaying::NothingToForget }))
    }

    /// Remembers the server and the nick for the next time. To be called after a login, where somebody sits at the client. The error is a sentence.
    pub fn logged_in(&mut self, nick: &str) -> Result<(), String> {
        let server = self.address.to_string();
        self.settings
            .remember(&[(Key::Server, &server), (Key::Nick, nick)])
            .map_err(|fault: SettingsFault| opening(self.language, &Opening::Settings(&fault)))
    }
}

/// The address that a text names, and the key that it demands.
fn place(text: &str) -> Result<(Address, Option<Fingerprint>), Opening<'_>> {
    if !Invitation::is_meant_by(text) {
        return text.parse().map(|address| (address, None)).map_err(|why| Opening::BadAddress(text, why));
    }
    let invitation: Invitation = text.parse().map_err(|why| Opening::BadInvitation(text, why))?;
    let address = invitation.address().parse().map_err(|why| Opening::BadAddress(text, why))?;
    Ok((address, invitation.fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn wish(host: &str) -> Wish {
        Wish { host: Some(host.to_owned()), ..Wish::default() }
    }

    fn english(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_client_encrypts_unless_it_is_told_not_to() {
        let folder = tempfile::tempdir().unwrap();
        let security = |wish: &Wish| Start::new(wish, Some(folder.path()), english).unwrap().security;
        assert!(matches!(security(&wish("board")), Security::Encrypted(_)));
        assert_eq!(security(&Wish { plain: true, ..wish("board") }), Security::Plain);
    }

    #[test]
    fn an_invitation_brings_its_key_and_does_not_go_with_plain() {
        let folder = tempfile::tempdir().unwrap();
        let key = Fingerprint([7; 32]);
        let invitation = wish(&format!("gzy://[::1]:5100#sha256={}", key.hex()));
        let start = Start::new(&invitation, Some(folder.path()), english).unwrap();
        assert_eq!(start.address.to_string(), "[::1]:5100");
        assert_eq!(start.security, Security::Encrypted(Trust::new(Some(folder.path()), Some(key), false)));
        let refused = Start::new(&Wish { plain: true, ..invitation }, Some(folder.path()), english);
        assert!(refused.unwrap_err().contains("--plain"));
        let broken = Start::new(&wish("gzy://board#sha256=12"), Some(folder.path()), english);
        assert!(broken.unwrap_err().contains("64 hex digits"));
    }

    #[test]
    fn the_last_server_and_nick_are_taken_again_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let nobody = Start::new(&Wish::default(), Some(folder.path()), english);
        assert!(nobody.unwrap_err().contains("gzy client HOST"));
        Start::new(&wish("board:5100"), Some(folder.path()), english).unwrap().logged_in("小阳").unwrap();
        let again = Start::new(&Wish::default(), Some(folder.path()), english).unwrap();
        assert_eq!((again.address.to_string().as_str(), again.nick.as_deref()), ("board:5100", Some("小阳")));
        assert!(again.notes.len() == 1 && again.notes[0].contains("board:5100"), "{:?}", again.notes);
    }

    #[test]
    fn a_login_is_kept_for_the_next_start_at_this_server() {
        let folder = tempfile::tempdir().unwrap();
        let start = |host| Start::new(&wish(host), Some(folder.path()), english).unwrap();
        let login = Credentials::new("小阳", "开门开门");
        assert!(start("board").keep_login(&login).unwrap().contains("logins"));
        assert_eq!((start("board").login, start("other").login), (Some(login), None));
        start("board").forget_login().unwrap();
        assert_eq!(start("board").login, None);
    }

    #[test]
    fn the_command_line_goes_before_the_settings_and_they_before_the_locale() {
        let folder = tempfile::tempdir().unwrap();
        let chinese = |_: &str| Some("zh_CN.UTF-8".to_owned());
        let start = |wish: &Wish| Start::new(wish, Some(folder.path()), chinese).unwrap();
        assert_eq!((start(&wish("a")).language, start(&wish("a")).colours), (Language::Zh, Colours::Auto));
        fs::write(folder.path().join("settings"), "language = en\ncolours = off\nwhat?\n").unwrap();
        let by_settings = start(&wish("a"));
        assert_eq!((by_settings.language, by_settings.colours), (Language::En, Colours::Off));
        assert!(by_settings.notes[0].contains("line 3"), "{:?}", by_settings.notes);
        let asked = Wish { language: Some(Language::Zh), colours: Some(Colours::On), ..wish("a") };
        assert_eq!((start(&asked).language, start(&asked).colours), (Language::Zh, Colours::On));
    }
}
