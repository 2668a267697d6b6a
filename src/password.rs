//! Is this the right password? Slow on purpose: callers run it away from the executor.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;

use crate::wire::limits::PASSWORD_CHARS_MIN;

/// Memory of one hash. 19 MiB with two passes is what OWASP asks of argon2id at least; a board with 64 MiB can still do one at a time.
const MEMORY_KIB: u32 = 19 * 1024;

/// Passes over the memory, as many as go with 19 MiB; a fraction of a second on a small board.
const PASSES: u32 = 2;

/// One lane: a small board has other things to do with its cores.
const LANES: u32 = 1;

/// Why there is no hash. `Display` says what to do.
#[derive(Debug, PartialEq, Eq)]
pub enum PasswordRefused {
    /// It has fewer than [`PASSWORD_CHARS_MIN`] characters.
    PasswordTooShort,
    /// The system gave no random numbers or no memory.
    NotHashed(argon2::password_hash::Error),
}

impl fmt::Display for PasswordRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordRefused::PasswordTooShort => {
                write!(f, "that password is too short; take at least {PASSWORD_CHARS_MIN} characters")
            }
            PasswordRefused::NotHashed(why) => write!(f, "the password could not be hashed: {why}; try again"),
        }
    }
}

impl std::error::Error for PasswordRefused {}

/// Hashes a password with a fresh salt; gives PHC text, `$argon2id$v=19$…`.
pub fn hash(password: &str) -> Result<String, PasswordRefused> {
    let password = normal(password);
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(PasswordRefused::PasswordTooShort);
    }
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within argon2's limits");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes()).map_err(PasswordRefused::NotHashed)?;
    Ok(hash.to_string())
}

/// Whether this is the password that was hashed. False too when `phc` is not the text of a hash.
pub fn verify(password: &str, phc: &str) -> bool {
    // The cost stands in the hash, so hashes of other costs stay good.
    PasswordHash::new(phc)
        .is_ok_and(|hash| Argon2::default().verify_password(normal(password).as_bytes(), &hash).is_ok())
}

/// One keyboard types é as one character, another as two.
fn normal(password: &str) -> String {
    password.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_is_recognised_and_others_are_not() {
        let phc = hash("上海caf\u{e9}").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("上海caf\u{e9}", &phc));
        assert!(verify("上海cafe\u{301}", &phc), "typed on another keyboard");
        assert!(!verify("上海cafe", &phc) && !verify("", &phc));
        assert_ne!(hash("上海caf\u{e9}").unwrap(), phc, "each has its own salt");
    }

    #[test]
    fn a_short_password_is_refused_by_characters_and_not_by_bytes() {
        assert_eq!(hash("上海上海上"), Err(PasswordRefused::PasswordTooShort));
        assert!(PasswordRefused::PasswordTooShort.to_string().contains("at least 6 characters"));
        assert!(hash("上海上海上海").is_ok());
    }

    #[test]
    fn rubbish_instead_of_a_hash_recognises_nothing() {
        for phc in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$", "$argon2id$v=19$m=1,t=0,p=0$c2FsdHNhbHQ$aGFzaA"] {
            assert!(!verify("plain", phc), "{phc}");
        }
    }
}
