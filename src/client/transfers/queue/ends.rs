//! How files come to their ends: well, badly, or to another try.

use super::*;

/// Failures in a row without a byte being moved, while the chat link stands, before a file is given up: some six minutes of growing pauses.
const FAILURES: u32 = 15;

/// Milliseconds before the first other try; each pause is twice the one before.
const FIRST_PAUSE_MS: u64 = 250;

/// Milliseconds between tries in the end.
const LONGEST_PAUSE_MS: u64 = 30_000;

impl Queue {
    pub(super) fn hashed(&mut self, key: u64, result: Result<Hashed, Why>) {
        let Some(work) = self.works.get_mut(&key).filter(|work| work.step == Step::Hashing) else { return };
        match result {
            Ok(Hashed { digest, stamp }) => {
                // It may have grown since it was found, and be a big one by now.
                let size_before = std::mem::replace(&mut work.job.size, stamp.size);
                (work.digest, work.stamp) = (Some(digest), Some(stamp));
                self.line_up(size_before).leave(key);
                self.step_to(key, Step::ToOffer);
            }
            Err(why) => self.failed(key, why),
        }
    }

    /// So many bytes need not be moved.
    pub(super) fn note_offset(&mut self, key: u64, offset: u64) {
        if let Some(work) = self.works.get_mut(&key) {
            work.done = offset;
            // Bytes of an earlier try, by this program or the one before it.
            work.has_moved |= offset > 0;
        }
    }

    /// Moving a file came to an end.
    pub(super) fn came(&mut self, now_ms: u64, key: u64, end: End) {
        let Some(work) = self.works.get_mut(&key) else { return };
        match end {
            End::Stored => self.is_there(now_ms, key, None),
            End::Fetched { path, at_once } => self.is_there(now_ms, key, Some((path, at_once))),
            End::Mismatch => {
                work.mismatches += 1;
                match work.mismatches < MISMATCHES {
                    true => self.step_to(key, Step::ToOffer),
                    false => self.failed(key, Why::Mismatch),
                }
            }
            End::Changed => self.failed(key, Why::Changed),
            End::Refused { code, sentence } => self.failed(key, asks::refusal(code, sentence)),
            End::Here(path, why) => self.failed(key, Why::Here(path, why)),
            // Without the chat link nothing else can be expected; when it is back, the file goes on.
            End::Broken | End::Stale if self.link != Link::In => self.step_to(key, Step::ToOffer),
            End::Broken | End::Stale => {
                work.failures += 1;
                match work.failures < FAILURES {
                    true => self.pause(now_ms, key),
                    false => self.failed(key, Why::Lost),
                }
            }
            End::Busy => {
                work.failures = (work.failures + 1).min(FAILURES - 1);
                self.pause(now_ms, key);
            }
        }
    }

    fn pause(&mut self, now_ms: u64, key: u64) {
        let failures = self.works.get(&key).map_or(0, |work| work.failures);
        let pause_ms = (FIRST_PAUSE_MS << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE_MS);
        self.step_to(key, Step::Pausing { until_ms: now_ms + pause_ms });
    }

    /// It is where it should be.
    pub(super) fn is_there(&mut self, now_ms: u64, key: u64, here: Option<(PathBuf, bool)>) {
        let Some(work) = self.forget(key) else { return };
        let Some(digest) = work.digest else { return };
        let took_ms = now_ms.saturating_sub(work.began_ms.unwrap_or(now_ms));
        let job = work.job;
        let news = match here {
            Some((path, at_once)) => News::Fetched { job, digest, path, at_once, took_ms },
            None => News::Sent { job, digest, at_once: !work.has_moved, took_ms },
        };
        self.orders.push(Order::Tell(news));
        self.errand_shrinks(work.errand);
    }

    pub(super) fn failed(&mut self, key: u64, why: Why) {
        let Some(work) = self.forget(key) else { return };
        self.orders.push(Order::Tell(News::Failed { job: work.job, why }));
        self.errand_shrinks(work.errand);
    }

    /// The user wants it no more.
    pub(super) fn cancel(&mut self, key: u64) {
        if self.works.contains_key(&key) {
            self.orders.push(Order::Stop(key));
            self.failed(key, Why::Cancelled);
        }
    }

    fn forget(&mut self, key: u64) -> Option<Work> {
        let work = self.works.remove(&key)?;
        self.small.leave(key);
        self.big.leave(key);
        self.known.remove(&(work.job.way, work.job.scope.clone(), work.job.name.clone()));
        self.progress.is_due = true;
        Some(work)
    }
}
