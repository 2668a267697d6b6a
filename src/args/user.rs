//! What may be typed behind `gzy user`.

use std::path::PathBuf;

use argh::FromArgs;

/// manage accounts; passwords are read from standard input · 管理账号，密码从标准输入读取
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "user")]
pub struct UserArgs {
    /// what to do
    #[argh(subcommand)]
    pub action: UserAction,
}

/// What to do with an account.
#[derive(FromArgs, Debug)]
#[argh(subcommand)]
pub enum UserAction {
    /// `gzy user add`
    Add(UserAdd),
    /// `gzy user passwd`
    Passwd(UserPasswd),
    /// `gzy user admin`
    Admin(UserAdmin),
    /// `gzy user remove`
    Remove(UserRemove),
    /// `gzy user list`
    List(UserList),
}

macro_rules! user_actions {
    ($($(#[$doc:meta])* $name:ident = $command:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(FromArgs, Debug)]
            #[argh(subcommand, name = $command)]
            pub struct $name {
                /// the account's name · 账号名
                #[argh(positional)]
                pub name: String,
                /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
                #[argh(option, arg_name = "dir")]
                pub data: Option<PathBuf>,
            }
        )*
    };
}

user_actions! {
    /// make an account; its password is read from standard input · 添加账号
    UserAdd = "add";
    /// change an account's password; it is read from standard input · 修改密码
    UserPasswd = "passwd";
    /// make an account an operator of the server (OPER) · 设为管理员
    UserAdmin = "admin";
    /// remove an account · 删除账号
    UserRemove = "remove";
}

/// list the accounts · 列出账号
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "list")]
pub struct UserList {
    /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,
}
