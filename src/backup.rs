//! `gzy backup` and `gzy restore`: the sentences around a copy of everything but the files in the cloud.

use crate::args::{BackupArgs, RestoreArgs, data_folder};
use crate::store::backup::{self, Contents};
use crate::wire::escape::printable;

/// Copies everything; the sentence is printed.
pub fn make(args: BackupArgs) -> Result<String, String> {
    let contents = backup::make(&data_folder(args.data), &args.file).map_err(|why| why.to_string())?;
    let file = printable(&args.file.to_string_lossy()).to_string();
    Ok(format!(
        "{file} holds everything but the shared files: {}; it was read again and is whole. For the files, copy the folder Cloud",
        count(contents)
    ))
}

/// Brings it back; the sentence is printed.
pub fn restore(args: RestoreArgs) -> Result<String, String> {
    let data = data_folder(args.data);
    let contents = backup::restore(&args.file, &data, args.force).map_err(|why| why.to_string())?;
    let folder = printable(&data.to_string_lossy()).to_string();
    Ok(format!("{folder} holds what was in the backup: {}; start the server", count(contents)))
}

fn count(contents: Contents) -> String {
    format!("{} messages, {} accounts", contents.messages, contents.accounts)
}
