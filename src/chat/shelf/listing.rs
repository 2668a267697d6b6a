//! FILE LIST: what is there, by folder or pattern, as much as one answer holds.

use std::fmt::Write;

use crate::wire::caps::Caps;
use crate::wire::limits::{FILE_LIST_BYTES, LINE_AROUND_BYTES};
use crate::wire::timestamp;

use super::super::SERVER_NAME;
use super::super::turn::Turn;
use super::pattern::Pattern;
use super::rights::Named;
use super::words::media_tag;

impl Turn<'_> {
    /// Answers with a batch of entries. Where there are more than one answer holds, `FILE MORE <scope> :<name>` says after which name to go on.
    pub(super) fn file_list(&mut self, scope: &str, pattern: &str, after: Option<&str>) {
        if !self.session().caps.has(Caps::BATCH) {
            return self.fail("FILE", "NEED_CAPABILITY", &["LIST"], "ask for batch first: the answer is one");
        }
        let Named { scope, word } = match self.chat.scope_meant(self.me, scope) {
            Ok(named) => named,
            Err(why) => return self.deny("LIST", scope, pattern, &why),
        };
        let (mut entries, mut bytes, mut last) = (Vec::new(), 0, None);
        let has_tags = self.session().caps.has(Caps::MESSAGE_TAGS);
        let pattern = Pattern::of(pattern);
        for (name, file) in self.chat.shelf.index.beginning_with(scope, pattern.prefix(), after) {
            if !pattern.fits(name.as_str()) {
                continue;
            }
            if bytes > FILE_LIST_BYTES {
                last = entries.last().map(|(name, _): &(&str, String)| (*name).to_owned());
                break;
            }
            let entry = &file.entry;
            let mut line = media_tag(entry.media).filter(|_| has_tags).map_or(String::new(), |tag| format!(";{tag}"));
            let _ = write!(line, " :{SERVER_NAME} FILE ENTRY {word} {} {} ", file.size(), entry.digest);
            timestamp::write_utc(entry.stored_ms, &mut line);
            let _ = write!(line, " {} :{}\r\n", entry.uploader.as_deref().unwrap_or("*"), name.as_str());
            bytes += line.len() + LINE_AROUND_BYTES / 4;
            entries.push((name.as_str(), line));
        }
        let lines: Vec<String> = entries.into_iter().map(|(_, line)| line).collect();
        self.reply_batch("gzy/files", |turn, batch| {
            let out = turn.replies.lines();
            for line in lines {
                let _ = write!(out, "@{batch}{line}");
            }
            if let Some(last) = last {
                let _ = write!(out, "@{batch} :{SERVER_NAME} FILE MORE {word} :{last}\r\n");
            }
        });
    }
}
