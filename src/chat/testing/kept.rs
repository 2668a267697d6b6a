//! What a store keeps besides messages, in memory: applied change by change, as the real one does.

use std::collections::BTreeMap;

use crate::store::change::Change;
use crate::store::directory::{Directory, GroupEntry};
use crate::store::file::Scope;
use crate::store::record::{AccountId, GroupId, Message, Place, Target};

/// Accounts, groups, markers.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    pub directory: Directory,
    pub read: BTreeMap<(AccountId, Target), u64>,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { directory: Directory { last_group: 999, ..Directory::default() }, read: BTreeMap::new() }
    }
}

impl Kept {
    fn group(&mut self, id: GroupId) -> &mut GroupEntry {
        self.directory
            .groups
            .iter_mut()
            .find(|group| group.id == id)
            .expect("changes come behind the group they are about")
    }

    /// What is true from now on. Gives the target of a group that has ended.
    pub fn apply(&mut self, change: &Change) -> Option<Target> {
        match change.clone() {
            Change::Group { id, shape } => {
                self.directory.last_group = self.directory.last_group.max(id.0);
                match self.directory.groups.iter_mut().find(|group| group.id == id) {
                    Some(group) => group.shape = *shape,
                    None => self.directory.groups.push(GroupEntry {
                        id,
                        shape: *shape,
                        lists: Vec::new(),
                        members: Vec::new(),
                        invited: Vec::new(),
                    }),
                }
            }
            Change::GroupEnded { id, target } => {
                self.directory.groups.retain(|group| group.id != id);
                self.directory.files.retain(|(file, _)| file.scope != Scope::Group(id));
                return Some(target);
            }
            Change::Listed { group, list, mask, entry } => {
                let lists = &mut self.group(group).lists;
                lists.retain(|(other, known, ..)| *other != list || *known != mask);
                lists.extend(entry.map(|(by, at_ms)| (list, mask, by, at_ms)));
            }
            Change::Member { group, account, membership } => {
                let members = &mut self.group(group).members;
                match (members.iter_mut().find(|(other, _)| *other == account), membership) {
                    (Some((_, known)), Some(membership)) => *known = membership,
                    (None, Some(membership)) => members.push((account, membership)),
                    (_, None) => members.retain(|(other, _)| *other != account),
                }
            }
            Change::Invited { group, account, by } => {
                let invited = &mut self.group(group).invited;
                invited.retain(|(other, ..)| *other != account);
                invited.extend(by.map(|(by, at_ms)| (account, by, at_ms)));
            }
            Change::Read { account, target, up_to_ms } => {
                let known = self.read.entry((account, target)).or_default();
                *known = up_to_ms.max(*known);
            }
            Change::File { file, entry } => {
                let files = &mut self.directory.files;
                files.retain(|(other, _)| *other != file);
                files.extend(entry.map(|entry| (file, *entry)));
            }
            Change::Delivered { .. } | Change::DisplayName { .. } | Change::Pause { .. } => {}
        }
        None
    }

    /// How much of a place somebody has not read, and up to when they have.
    pub fn unread<'a>(
        &self,
        account: AccountId,
        place: &Place,
        limit: usize,
        all: impl Iterator<Item = &'a Message>,
    ) -> (Target, u64, usize) {
        let up_to_ms = self.read.get(&(account, place.target.clone())).copied().unwrap_or(0);
        let mine = self.directory.accounts.iter().find(|entry| entry.id == account).map(|entry| &entry.name);
        let of_others = all.filter(|m| super::memory::is_at(m, place) && m.account.as_ref() != mine);
        let count = of_others.filter(|m| m.id.time_ms() > up_to_ms).take(limit).count();
        (place.target.clone(), up_to_ms, count)
    }
}
