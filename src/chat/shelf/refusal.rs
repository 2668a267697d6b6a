//! Why something about files is not done: the word on the line, the status of HTTP, and one clear sentence for both.

use crate::wire::file_name::BadFileName;

use super::super::bang::Tongue;
use super::order::Fault;
use super::words::size_words;

/// Why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Denied {
    /// Nothing has that name, or nothing that they may see.
    NoSuchFile,
    /// Another content has the name.
    NameTaken,
    /// The name is a folder, or one of its folders is a file.
    InTheWay,
    /// It cannot be a name.
    BadName(BadFileName),
    /// More than one file may have.
    TooLarge {
        /// Bytes.
        max: u64,
    },
    /// More than one person may bring.
    Quota {
        /// Bytes that they may still bring.
        left: u64,
    },
    /// More than all may bring together.
    QuotaOfAll {
        /// Bytes that there is room for.
        left: u64,
    },
    /// There are as many files as can be.
    TooMany,
    /// No room on the disk.
    DiskFull,
    /// They may not; the sentence says why.
    NoAccess(&'static str),
    /// What came is not what was announced.
    DigestMismatch,
    /// Too much at once; the sentence says of what.
    Busy(&'static str),
    /// A ticket that is over, or never was.
    NoTicket,
    /// The store could not keep it.
    NotKept,
    /// The disk failed.
    Failed,
}

impl Denied {
    /// What a fault of the disk means to whoever waits; `None` when the upload goes on.
    pub fn of_fault(fault: &Fault, max: u64) -> Option<Denied> {
        Some(match fault {
            Fault::DigestMismatch => Denied::DigestMismatch,
            Fault::TooLarge => Denied::TooLarge { max },
            Fault::DiskFull => Denied::DiskFull,
            Fault::NameTaken => Denied::NameTaken,
            Fault::Io(_) => Denied::Failed,
            Fault::WrongOffset(_) | Fault::Superseded => return None,
        })
    }

    /// The word of the standard reply.
    pub fn code(&self) -> &'static str {
        match self {
            Denied::NoSuchFile | Denied::NoTicket => "NO_SUCH_FILE",
            Denied::NameTaken | Denied::InTheWay => "NAME_TAKEN",
            Denied::BadName(_) => "BAD_NAME",
            Denied::TooLarge { .. } => "TOO_LARGE",
            Denied::Quota { .. } | Denied::QuotaOfAll { .. } | Denied::TooMany => "QUOTA",
            Denied::DiskFull => "DISK_FULL",
            Denied::NoAccess(_) => "NO_ACCESS",
            Denied::DigestMismatch => "DIGEST_MISMATCH",
            Denied::Busy(_) => "BUSY",
            Denied::NotKept | Denied::Failed => "TRY_AGAIN",
        }
    }

    /// The status of HTTP.
    pub fn status(&self) -> u16 {
        match self {
            Denied::NoSuchFile | Denied::NoTicket => 404,
            Denied::NameTaken | Denied::InTheWay => 409,
            Denied::BadName(_) => 400,
            Denied::TooLarge { .. } => 413,
            Denied::Quota { .. } | Denied::QuotaOfAll { .. } | Denied::TooMany | Denied::DiskFull => 507,
            Denied::NoAccess(_) => 403,
            Denied::DigestMismatch => 422,
            Denied::Busy(_) | Denied::NotKept | Denied::Failed => 503,
        }
    }

    /// The thing, the reason, the next step.
    pub fn sentence(&self) -> String {
        match self {
            Denied::NoSuchFile => "there is no file of that name; the listing (!ls) says what there is".into(),
            Denied::NameTaken => "another file has that name; choose another name, or remove that file first".into(),
            Denied::InTheWay => {
                "a name is a file or a folder, and that one is the other already; choose another".into()
            }
            Denied::BadName(why) => why.to_string(),
            Denied::TooLarge { max } => {
                format!(
                    "that file is larger than {}, the most that is taken here; split it, or ask the host",
                    size_words(*max)
                )
            }
            Denied::Quota { left } => {
                format!(
                    "that is more than your share: {} are left of it; remove something of yours first",
                    size_words(*left)
                )
            }
            Denied::QuotaOfAll { left } => {
                format!("the cloud has room for {} more; somebody has to remove something first", size_words(*left))
            }
            Denied::TooMany => "the cloud holds as many files as it can; pack small ones into one".into(),
            Denied::DiskFull => "the server's disk is full; tell the host, or remove something".into(),
            Denied::NoAccess(why) | Denied::Busy(why) => (*why).into(),
            Denied::DigestMismatch => "what arrived is not what was announced (SHA-256); send it again".into(),
            Denied::NoTicket => "that ticket is over; ask for the file again".into(),
            Denied::NotKept => "the server could not keep that; send it again in a moment, and tell the host".into(),
            Denied::Failed => "the server's disk did not do that; try again, and tell the host if it stays so".into(),
        }
    }

    /// The same in one language.
    pub fn spoken(&self, tongue: Tongue) -> String {
        let chinese = match self {
            _ if tongue == Tongue::English => return self.sentence(),
            Denied::NoSuchFile => "没有叫这个名字的文件；！查看文件 看看有什么",
            Denied::NameTaken => "这个名字已经有别的文件了；换个名字，或先删掉那个",
            Denied::InTheWay => "这个名字已经是文件夹（或文件）了；换一个",
            Denied::BadName(_) => "文件名不能这样写；换一个",
            Denied::TooLarge { .. } => "文件太大；拆开，或问问主人",
            Denied::Quota { .. } => "超过了你的份额；先删掉自己的一些文件",
            Denied::QuotaOfAll { .. } | Denied::TooMany => "云里放不下了；要先删掉一些文件",
            Denied::DiskFull => "服务器的磁盘满了；告诉主人，或删掉一些文件",
            Denied::NoAccess(_) => "你没有权限这样做",
            Denied::DigestMismatch => "收到的和说好的不一样（SHA-256）；再发一次",
            Denied::Busy(_) => "同时进行的太多；过一会儿再试",
            Denied::NoTicket => "链接过期了；再要一次",
            Denied::NotKept | Denied::Failed => "服务器的磁盘没有做成；再试一次，还不行就告诉主人",
        };
        chinese.into()
    }
}
