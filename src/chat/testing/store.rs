//! The store of a world: what it is handed, what it keeps, what it answers.

use super::*;

impl World {
    /// Everything handed over so far reaches the disk; the receipts go out.
    pub fn save(&mut self) {
        let Some((up_to, count)) = self.end_of_unsaved() else { return };
        let batch: Vec<Message> = self.unsaved.drain(..).map(|unsaved| unsaved.message).collect();
        self.stored.extend(batch);
        self.keep_changes();
        self.handle(Input::Saved { up_to, count, result: Ok(()) });
    }

    /// Every change that was handed over is on disk.
    pub fn keep_changes(&mut self) {
        for (_, change) in std::mem::take(&mut self.unsaved_changes) {
            self.keep(change);
        }
    }

    /// A change is on disk.
    pub fn keep(&mut self, change: Change) {
        if let Some(ended) = self.kept.apply(&change) {
            self.stored.retain(|message| message.target != ended);
        }
        self.stored_changes.push(change);
    }

    /// The greatest id of all that was handed over, and how much it is.
    fn end_of_unsaved(&self) -> Option<(MsgId, usize)> {
        let messages = self.unsaved.iter().map(|unsaved| unsaved.message.id);
        let ids = messages.chain(self.unsaved_changes.iter().map(|(id, _)| *id));
        Some((ids.max()?, self.unsaved.len() + self.unsaved_changes.len()))
    }

    /// Everything handed over so far could not be written and is lost.
    pub fn fail_save(&mut self, reason: &str) {
        let Some((up_to, count)) = self.end_of_unsaved() else { return };
        self.unsaved.clear();
        self.unsaved_changes.clear();
        self.handle(Input::Saved { up_to, count, result: Err(reason.into()) });
    }

    /// An account; its password is right when it is this one.
    pub fn add_account(&mut self, name: &str, password: &str, admin: bool) {
        let id = AccountId(1000 + self.accounts.len() as u32);
        let account = Account { id, name: name.into(), admin, password_hash: hash_of(password).into() };
        self.accounts.push(account);
        let entry = AccountEntry { id, name: name.into(), display: None, admin };
        self.kept.directory.accounts.push(entry.clone());
        self.chat.accounts.add(entry);
    }

    /// Answers the oldest open question ([`World::asks_by_hand`]).
    pub fn answer(&mut self, found: Found) {
        let (token, _) = self.questions.pop_front().expect("an open question");
        self.handle(Input::Found { token, found });
    }

    /// Answers the oldest open question as the store in memory would.
    pub fn answer_from_memory(&mut self) {
        let query = self.questions.front().expect("an open question").1.clone();
        let found = self.found(&query);
        self.answer(found);
    }

    /// Answers the oldest open password check ([`World::passwords_by_hand`]).
    pub fn password_checked(&mut self, correct: bool) {
        let (token, ..) = self.password_checks.pop_front().expect("an open password check");
        self.handle(Input::PasswordChecked { token, correct });
    }

    /// What the store would answer from what it holds and what was handed over.
    pub fn found(&mut self, query: &Query) -> Found {
        match query {
            Query::Register { name, hash } => return self.made_account(name, hash),
            Query::SetPassword { account, hash } => return self.password_set(*account, hash),
            _ => {}
        }
        let all = self.stored.iter().chain(self.unsaved.iter().map(|unsaved| &unsaved.message));
        let all: Vec<&Message> = all.filter(|message| !self.redacted.contains(&message.id)).collect();
        if let Some(found) = recollection::redact(&all, &mut self.redacted, query) {
            return found;
        }
        let changes = self.stored_changes.iter().chain(self.unsaved_changes.iter().map(|(_, change)| change));
        recollection::found(&all, changes, query)
            .unwrap_or_else(|| memory::found(all.into_iter(), &self.accounts, &self.kept, query))
    }

    fn made_account(&mut self, name: &str, hash: &str) -> Found {
        if self.accounts.iter().any(|account| fold(&account.name) == fold(name)) {
            return Found::Registered(Err(NotRegistered::Taken));
        }
        let id = AccountId(1000 + self.accounts.len() as u32);
        self.accounts.push(Account { id, name: name.into(), admin: false, password_hash: hash.into() });
        Found::Registered(Ok(id))
    }

    fn password_set(&mut self, account: AccountId, hash: &str) -> Found {
        let account = self.accounts.iter_mut().find(|other| other.id == account);
        Found::PasswordSet(account.map(|account| account.password_hash = hash.into()).is_some())
    }
}
