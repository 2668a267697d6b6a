//! The files of the cloud for people: `!ls`, `!get`, `!rm`, and how files are brought.

use std::collections::BTreeMap;

use crate::store::file::{FileKey, Scope};
use crate::wire::file_name::FileName;

use super::super::shelf::{Denied, Named, Pattern, encoded, size_words};
use super::super::turn::Turn;
use super::parse::Rest;
use super::phrase;
use super::words::{Command, Tongue};

/// Names that `!ls` shows: a screen. Folders and patterns lead to the others.
const NAMES_SHOWN: usize = 20;

/// A file, or a folder with what is in it.
#[derive(Default)]
struct Shown {
    files: usize,
    bytes: u64,
    by: Option<Box<str>>,
}

impl Shown {
    /// A line of the listing.
    fn words(&self, tongue: Tongue, name: &str) -> String {
        let (size, files) = (size_words(self.bytes), self.files);
        match (name.ends_with('/'), &self.by) {
            (true, _) => phrase!(tongue, "{name} · {files} 个文件 · {size}", "{name} · {files} files · {size}"),
            (false, Some(by)) => format!("{name} · {size} · {by}"),
            (false, None) => format!("{name} · {size}"),
        }
    }
}

impl Turn<'_> {
    /// `!ls [PATTERN]`: the files of the place where it is typed, folders as one line each.
    pub(super) fn bang_ls(&mut self, rest: Rest) {
        let (tongue, scope) = (self.tongue(), self.files_here().scope);
        let pattern = Pattern::of(rest.text());
        let (mut all, mut bytes, mut lines) = (0_usize, 0_u64, BTreeMap::<String, Shown>::new());
        for (name, file) in self.chat.files_that_fit(scope, &pattern) {
            (all, bytes) = (all + 1, bytes.saturating_add(file.size()));
            let line = lines.entry(pattern.shown_as(name.as_str()).to_owned()).or_default();
            line.files += 1;
            line.bytes = line.bytes.saturating_add(file.size());
            line.by = file.entry.uploader.clone();
        }
        if all == 0 {
            return self.answer(&match rest.text() {
                "" => phrase!(
                    tongue,
                    "这里还没有文件；！帮助*上传文件 告诉你怎么放",
                    "there are no files here yet; !help put says how to bring some"
                ),
                _ => phrase!(
                    tongue,
                    "没有这样的文件；！查看文件 列出全部",
                    "no file is called like that; !ls lists them all"
                ),
            });
        }
        let (size, more) = (size_words(bytes), lines.len().saturating_sub(NAMES_SHOWN));
        self.answer(&match all {
            1 => phrase!(tongue, "1 个文件，{size}：", "1 file, {size}:"),
            _ => phrase!(tongue, "{all} 个文件，共 {size}：", "{all} files, {size}:"),
        });
        for (name, line) in lines.into_iter().take(NAMES_SHOWN) {
            let text = line.words(tongue, &name);
            self.answer(&text);
        }
        if more > 0 {
            self.answer(&phrase!(
                tongue,
                "还有 {more} 项；！查看文件*文件夹 或 ！查看文件 *.zip 看一部分",
                "and {more} more; !ls FOLDER or !ls *.zip shows a part"
            ));
        }
    }

    /// `!get NAME`: a link, for programs that do not fetch files themselves.
    pub(super) fn bang_get(&mut self, rest: Rest) {
        let tongue = self.tongue();
        if rest.text().is_empty() {
            return self.refuse_usage(Command::Get);
        }
        let Some((key, digest)) = self.file_meant(rest.text()) else { return self.deny_in_words(&Denied::NoSuchFile) };
        let name = key.name.as_str().to_owned();
        let address = match self.chat.shelf.reachable() {
            Some(address) => address.to_owned(),
            None => phrase!(tongue, "http://服务器地址:端口", "http://SERVER:PORT"),
        };
        if key.scope == Scope::Public {
            let path = encoded(&name);
            return self.answer(&format!("{name} → {address}/cloud/{path}"));
        }
        let ticket = self.download_ticket(key, digest);
        self.answer(&phrase!(
            tongue,
            "{name} → {address}/t/{ticket} （只给你，你在线时有效，一小时不用就过期）",
            "{name} → {address}/t/{ticket} (for you alone, while you are here; it ends when it is not used for an hour)"
        ));
    }

    /// `!rm NAME`
    pub(super) fn bang_rm(&mut self, rest: Rest) {
        let tongue = self.tongue();
        if rest.text().is_empty() {
            return self.refuse_usage(Command::Rm);
        }
        let meant = self.file_meant(rest.text()).ok_or(Denied::NoSuchFile);
        let name = meant.as_ref().map_or(String::new(), |(key, _)| key.name.as_str().to_owned());
        let removed = meant.and_then(|(key, _)| {
            let by = self.chat.visitor_of(self.me).ok_or(Denied::NoSuchFile)?;
            self.chat.remove_file(by, key, None, self.now, self.effects)
        });
        match removed {
            Ok(()) => self.answer(&phrase!(tongue, "删掉了 {name}", "{name} is removed")),
            Err(why) => self.deny_in_words(&why),
        }
    }

    /// `!put`, `!ft`, `!send`: a line of text carries no file, so this says what does.
    pub(super) fn bang_put(&mut self, command: Command) {
        let tongue = self.tongue();
        if command == Command::Send || self.files_here().scope != Scope::Public {
            return self.answer(&phrase!(
                tongue,
                "文件要用 gzy client 发：在里面输入同样的命令",
                "gzy client sends files: type the same command in it"
            ));
        }
        let address = match self.chat.shelf.reachable() {
            Some(address) => address.to_owned(),
            None => phrase!(tongue, "http://服务器地址:端口", "http://SERVER:PORT"),
        };
        self.answer(&phrase!(
            tongue,
            "在 gzy client 里输入 ！上传文件*路径；或用 curl -T 文件 {address}/cloud/ ，或用浏览器打开 {address}/cloud/",
            "in gzy client type !put PATH; or use curl -T FILE {address}/cloud/ or open {address}/cloud/ in a browser"
        ));
    }

    /// The files that are meant where a command is typed: a group's, those between two people, or the cloud of all.
    fn files_here(&self) -> Named {
        let target = self.asked.as_ref().map_or("*", |asked| &asked.target);
        let public = Named { scope: Scope::Public, word: "*".into() };
        self.chat.scope_meant(self.me, target).unwrap_or(public)
    }

    fn file_meant(&self, text: &str) -> Option<(FileKey, crate::wire::digest::Digest)> {
        let key = FileKey { scope: self.files_here().scope, name: FileName::parse(text.trim()).ok()? };
        let digest = self.chat.file(&key)?.entry.digest;
        Some((key, digest))
    }

    fn deny_in_words(&mut self, why: &Denied) {
        let text = why.spoken(self.tongue());
        self.refuse(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use super::super::super::testing::cloud::FILES;
    use crate::chat::ConnId;
    use crate::chat::shelf::order::{ShelfFact, ShelfOrder};

    fn asked(w: &mut World, who: ConnId, target: &str, text: &str) -> Vec<String> {
        let lines = w.ask(who, &format!("PRIVMSG {target} :{text}"));
        let answer = |line: &String| line.split_once(" :").map_or(line.clone(), |(_, text)| text.to_owned());
        lines.iter().map(answer).collect()
    }

    #[test]
    fn files_are_listed_with_folders_as_one_line_each() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", FILES);
        let old = w.join("old");
        assert_eq!(
            asked(&mut w, old, "#lobby", "!ls"),
            ["there are no files here yet; !help put says how to bring some"]
        );
        for (name, content) in [("作业/一.zip", 'a'), ("作业/二/x", 'b'), ("b.png", 'c')] {
            w.brings(anna, "*", name, content);
        }
        w.drain();
        assert_eq!(
            asked(&mut w, old, "#lobby", "!ls"),
            ["3 files, 15 B:", "b.png · 5 B · anna", "作业/ · 2 files · 10 B"]
        );
        assert_eq!(
            asked(&mut w, old, "#lobby", "！查看文件*作业"),
            ["2 个文件，共 10 B：", "作业/一.zip · 5 B · anna", "作业/二/ · 1 个文件 · 5 B"]
        );
        assert_eq!(asked(&mut w, old, "#lobby", "!ls *.png"), ["1 file, 5 B:", "b.png · 5 B · anna"]);
        assert_eq!(asked(&mut w, old, "#lobby", "!ls x"), ["no file is called like that; !ls lists them all"]);
        for number in 0..30 {
            w.brings(anna, "*", &format!("n{number:02}"), 'd');
        }
        w.drain();
        let lines = asked(&mut w, old, "#lobby", "!ls");
        assert_eq!(lines.len(), 22);
        assert_eq!(lines[21], "and 12 more; !ls FOLDER or !ls *.zip shows a part");
    }

    #[test]
    fn other_programs_get_a_link_and_the_way_to_bring_files() {
        let mut w = World::new();
        let anna = w.member_with_caps("anna", FILES);
        let ben = w.member("ben");
        w.brings(anna, "*", "周 a.png", 'a');
        w.brings(anna, "ben", "secret", 'b');
        w.drain();
        assert_eq!(
            asked(&mut w, ben, "#lobby", "!get 周 a.png"),
            ["周 a.png → http://SERVER:PORT/cloud/%E5%91%A8%20a.png"]
        );
        w.disk(ShelfFact::Reachable("http://192.0.2.1:510".into()));
        w.drain();
        assert_eq!(
            asked(&mut w, ben, "#lobby", "！下载文件*周 a.png"),
            ["周 a.png → http://192.0.2.1:510/cloud/%E5%91%A8%20a.png"]
        );
        let link = asked(&mut w, ben, "anna", "!get secret").remove(0);
        let token = link.split("/t/").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
        assert!(link.starts_with("secret → http://192.0.2.1:510/t/"), "{link}");
        assert!(matches!(w.redeem(&token).1[..], [crate::chat::shelf::web::WebReply::Send(_)]));
        assert_eq!(
            asked(&mut w, ben, "#lobby", "!get secret"),
            ["there is no file of that name; the listing (!ls) says what there is"]
        );
        assert!(asked(&mut w, ben, "#lobby", "!put /tmp/x")[0].contains("curl -T FILE http://192.0.2.1:510/cloud/"));
        assert_eq!(asked(&mut w, ben, "#lobby", "！发文件*小阳*a"), ["文件要用 gzy client 发：在里面输入同样的命令"]);
        assert_eq!(asked(&mut w, ben, "#lobby", "!get"), ["type it like this: !get NAME"]);
    }

    #[test]
    fn who_brought_a_file_removes_it_and_others_do_not() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", FILES);
        let eve = w.join("eve");
        w.brings(anna, "*", "a", 'a');
        w.drain();
        assert_eq!(asked(&mut w, eve, "#lobby", "！删除文件*a"), ["你没有权限这样做"]);
        assert_eq!(asked(&mut w, anna, "#lobby", "!rm a"), ["a is removed"]);
        let orders = w.orders();
        assert!(matches!(&orders[..], [ShelfOrder::Remove { file, .. }] if file.name.as_str() == "a"), "{orders:?}");
        w.save();
        assert_eq!(w.said_to(anna), [format!(":{} FILE GONE * :a", w.source(anna))]);
        assert!(asked(&mut w, anna, "#lobby", "!rm a")[0].starts_with("there is no file"));
        assert!(w.kept.directory.files.is_empty());
    }
}
