//! Why the server could not start: sentences that name the thing, the reason, and what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::password_file::NoPassword;
use crate::store::StoreError;

use super::identity::BadIdentity;

/// A server that cannot start.
#[derive(Debug)]
pub enum ServerError {
    /// An address could not be listened on.
    Listen(SocketAddr, io::Error),
    /// A file or folder of the server could not be used.
    File(&'static str, PathBuf, io::Error),
    /// The password that everybody must give could not be had.
    Password(NoPassword),
    /// The key or the certificate could not be had.
    Identity(BadIdentity),
    /// The system gave no thread.
    Thread(io::Error),
    /// The store could not be opened.
    Store(StoreError),
}

impl ServerError {
    /// The data folder cannot be made.
    pub fn data_folder(path: &Path, why: io::Error) -> ServerError {
        ServerError::Store(StoreError::Folder { path: path.into(), why })
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerError::Listen(address, why) => {
                write!(f, "cannot listen on {address}: {why}")?;
                match why.kind() {
                    io::ErrorKind::AddrInUse => write!(
                        f,
                        "; another program (another gzy?) has that port: stop it, or choose another with --listen"
                    ),
                    io::ErrorKind::PermissionDenied => write!(
                        f,
                        "; ports below 1024 need a right: use the systemd unit, or `setcap cap_net_bind_service=+ep` on the gzy file, or another port with --listen"
                    ),
                    io::ErrorKind::AddrNotAvailable => {
                        write!(f, "; this machine does not have that address: see `ip address`")
                    }
                    _ => Ok(()),
                }
            }
            ServerError::File(doing, path, why) => write!(f, "cannot {doing} {}: {why}", path.display()),
            ServerError::Thread(why) => {
                write!(f, "cannot start a thread: {why}; the machine is out of memory, or allows too few")
            }
            ServerError::Password(why) => why.fmt(f),
            ServerError::Identity(why) => why.fmt(f),
            ServerError::Store(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for ServerError {}
