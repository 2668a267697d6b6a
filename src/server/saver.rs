//! What is to be kept, on its way to the store: gathered for a moment, handed over in one piece.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::chat::Token;
use crate::store::Entry;
use crate::store::Store;
use crate::store::record::Query;
use crate::wire::limits::SAVE_WITHIN_MS;
use crate::wire::msgid::MsgId;

/// Entries handed over at once although nobody waits: keeps a batch's memory small.
const BATCH_ENTRIES: usize = 512;
/// When to try again after the store refused: its queue is long, so there is time.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Gathers entries and knows which batches are under way.
pub struct Saver {
    store: Store,
    gathered: Vec<Entry>,
    /// Somebody waits for a receipt.
    hurry: bool,
    /// When what is gathered has to go.
    due: Option<Instant>,
    last_batch: u64,
    under_way: VecDeque<Batch>,
}

struct Batch {
    number: u64,
    up_to: MsgId,
    count: usize,
}

impl Saver {
    /// Nothing gathered yet.
    pub fn new(store: Store) -> Saver {
        Saver { store, gathered: Vec::new(), hurry: false, due: None, last_batch: 0, under_way: VecDeque::new() }
    }

    /// Takes what is to be kept. With `hurry` it goes at the end of the turn, else within [`SAVE_WITHIN_MS`].
    pub fn remember(&mut self, entry: Entry, hurry: bool) {
        self.due.get_or_insert_with(|| Instant::now() + Duration::from_millis(SAVE_WITHIN_MS));
        self.hurry |= hurry;
        self.gathered.push(entry);
    }

    /// When [`Saver::save_if_due`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Hands over what is gathered, if somebody waits for it, it is much, or its time has come.
    pub fn save_if_due(&mut self) {
        let Some(due) = self.due else { return };
        if self.hurry || self.gathered.len() >= BATCH_ENTRIES || due <= Instant::now() {
            self.save();
        }
    }

    fn save(&mut self) {
        let Some(last) = self.gathered.last() else { return };
        let batch = Batch { number: self.last_batch + 1, up_to: last.id(), count: self.gathered.len() };
        match self.store.append(batch.number, std::mem::take(&mut self.gathered)) {
            Ok(()) => {
                self.last_batch = batch.number;
                self.under_way.push_back(batch);
                self.hurry = false;
                self.due = None;
            }
            Err(refused) => {
                // The rules refuse new messages long before this grows without bound.
                self.gathered = refused;
                self.hurry = false;
                self.due = Some(Instant::now() + AFTER_REFUSAL);
            }
        }
    }

    /// Asks the store, which sees everything gathered before; false when it is too busy.
    pub fn ask(&mut self, token: Token, query: Query) -> bool {
        self.save();
        self.gathered.is_empty() && self.store.ask(token.0, query).is_ok()
    }

    /// What a batch held that the store has answered for: its greatest id, and how many entries.
    pub fn saved(&mut self, number: u64) -> Option<(MsgId, usize)> {
        let at = self.under_way.iter().position(|batch| batch.number == number)?;
        self.under_way.remove(at).map(|batch| (batch.up_to, batch.count))
    }

    /// Hands over the last messages and lets the store finish.
    pub fn close(mut self) {
        self.save();
        self.store.close();
    }
}
