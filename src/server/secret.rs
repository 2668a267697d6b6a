//! The secret behind the cloaks, made at the first start and kept beside the database, so that bans outlast a restart.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::ServerError;
use crate::system;

/// 32 random bytes in the data folder, readable by the server alone.
const FILE_NAME: &str = "cloak.key";

/// Reads the secret, or makes it.
pub fn load_or_make(data: &Path) -> Result<[u8; 32], ServerError> {
    let path = data.join(FILE_NAME);
    let failed = |doing| move |why: io::Error| ServerError::File(doing, data.join(FILE_NAME), why);
    system::make_folder(data).map_err(|why| ServerError::data_folder(data, why))?;
    match fs::read(&path) {
        Ok(bytes) => {
            if let Ok(secret) = <[u8; 32]>::try_from(bytes) {
                return Ok(secret);
            }
            log::warn!("{} was damaged and is made anew; bans of addresses no longer fit", path.display());
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(failed("read")(why)),
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|why| failed("make random bytes for")(io::Error::other(why)))?;
    write_new(&path, &secret).map_err(failed("write"))?;
    Ok(secret)
}

/// Written beside and renamed: after a power cut the file is whole or not there.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = system::private_file().truncate(true).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_a_damaged_one_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        let first = load_or_make(data.path()).unwrap();
        assert_eq!(load_or_make(data.path()).unwrap(), first);
        fs::write(data.path().join(FILE_NAME), b"short").unwrap();
        let second = load_or_make(data.path()).unwrap();
        assert_ne!(second, first);
        assert_eq!(load_or_make(data.path()).unwrap(), second);
    }
}
