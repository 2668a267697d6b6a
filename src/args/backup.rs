//! What may be typed behind `gzy backup` and `gzy restore`.

use std::path::PathBuf;

use argh::FromArgs;

/// copy everything that a server keeps, but for the shared files, into one file, also while it runs · 备份（不含共享文件；服务器可以继续运行）
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "backup")]
pub struct BackupArgs {
    /// file to make; it must not be there yet. It holds the server's key: keep it where nobody else reads it · 备份文件
    #[argh(positional)]
    pub file: PathBuf,

    /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,
}

/// bring back what gzy backup has copied, while no server runs there · 从备份恢复（服务器要先停下）
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "restore")]
pub struct RestoreArgs {
    /// file that gzy backup has made · 备份文件
    #[argh(positional)]
    pub file: PathBuf,

    /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,

    /// replace a database that is there; it is kept as gzy.db.before-restore · 替换已有的数据库（旧的会保留）
    #[argh(switch)]
    pub force: bool,
}
