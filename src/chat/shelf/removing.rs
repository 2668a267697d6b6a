//! Removing a file: off the shelf and off the disk, told to everybody who saw it.

use std::rc::Rc;

use crate::store::file::{FileKey, Scope};
use crate::wire::event::Event;

use super::super::{Audience, Chat, Effect, Now, SERVER_NAME};
use super::Denied;
use super::bringing::Asked;
use super::command::FILE_CAPS;
use super::order::ShelfOrder;
use super::rights::Visitor;
use super::settling::Departure;
use super::web::WebReply;

impl Chat {
    /// Takes a file away, when somebody may. `asked` is answered when the store knows of it.
    pub(in crate::chat) fn remove_file(
        &mut self,
        by: Visitor,
        key: FileKey,
        asked: Option<Asked>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Denied> {
        let file = self.shelf.index.get(&key).filter(|_| self.sees(by.account, key.scope)).ok_or(Denied::NoSuchFile)?;
        if !self.may_remove(&by, &key, file) {
            return Err(Denied::NoAccess(
                "only who brought a file, who runs the group, and the server's operators may remove it",
            ));
        }
        let order = ShelfOrder::Remove { file: key.clone(), stamp: file.entry.stamp };
        self.shelf.index.take(&key);
        effects.push(Effect::Shelf(Box::new(order)));
        let recorded = self.record_file(key.clone(), None, now, effects);
        self.shelf.settling.push_departure(recorded, Departure { key, by, asked });
        Ok(())
    }

    /// A file is gone: who asked is answered, and whoever else sees the scope is told.
    pub(super) fn tell_gone_file(&mut self, departure: Departure, now: Now, effects: &mut Vec<Effect>) {
        let Departure { key, by, asked } = departure;
        let mut asker = None;
        match asked {
            Some(Asked::Line(question)) => {
                let line = format!(":{SERVER_NAME} FILE GONE {} :{}\r\n", question.scope_word, key.name.as_str());
                self.answer_line(question.conn, question.label.as_deref(), line, effects);
                asker = Some(question.conn);
            }
            Some(Asked::Web(web)) => effects.push(Effect::Web { web, reply: Box::new(WebReply::Removed) }),
            None => {}
        }
        let only = Audience::with(FILE_CAPS);
        let event = |word: &str| {
            let head = format!(":{} FILE GONE {word}", by.source);
            Rc::new(Event::plain(now.wall_ms, head, Some(key.name.as_str())))
        };
        if let Scope::Pair(one, other) = key.scope {
            for account in [one, other] {
                let mut to = self.accounts.devices(account).to_vec();
                to.retain(|conn| Some(*conn) != asker);
                let event = event(&self.scope_word(key.scope, Some(account)));
                effects.push(Effect::ToEach { to, only, event });
            }
        } else if let Some(room) = self.room_of_scope(key.scope) {
            let event = event(&self.scope_word(key.scope, None));
            effects.push(Effect::ToRoom { room: room.id, except: asker, only, event });
        }
    }
}
