//! What the server is asked, and what becomes of its answers.

use super::*;

impl Queue {
    pub(super) fn ask(&mut self, now_ms: u64, ask: Ask) {
        let line = match &ask {
            Ask::Offer(key) => {
                let Some(line) = self.works.get(key).and_then(Work::offer) else { return };
                line
            }
            Ask::Names { name, scope, known, .. } => list(scope, Some(name), known),
            Ask::List { scope, pattern, known } => list(scope, pattern.as_deref(), known),
            Ask::Remove { scope, name } => lines::remove(scope, name),
        };
        self.last_ask += 1;
        self.orders.push(Order::Say { label: lines::label(self.last_ask), line });
        self.asked.insert(self.last_ask, (now_ms, ask));
    }

    pub(super) fn answered(&mut self, now_ms: u64, answer: Answer) {
        let number = lines::number(&answer.label);
        let Some((_, ask)) = number.and_then(|number| self.asked.remove(&number)) else { return };
        match ask {
            Ask::Offer(key) => self.offer_answered(now_ms, key, answer.said),
            ask if answer.said == Said::Unsent => self.to_ask.push_back(ask),
            // Its errand was cancelled meanwhile.
            Ask::Names { errand, .. } if !self.errands.contains_key(&errand) => {}
            Ask::Names { errand, name, scope, known } => match listing(answer.said, known, Some(&name)) {
                Ok(Part::All(files)) => self.named(errand, name, &scope, files),
                Ok(Part::Some(known)) => self.ask(now_ms, Ask::Names { errand, name, scope, known }),
                Err(why) => {
                    self.nothing(name, why);
                    self.errand_shrinks(errand);
                }
            },
            Ask::List { scope, pattern, known } => {
                let files = match listing(answer.said, known, pattern.as_deref()) {
                    Ok(Part::Some(known)) => return self.ask(now_ms, Ask::List { scope, pattern, known }),
                    Ok(Part::All(files)) => Ok(files),
                    Err(why) => Err(why),
                };
                self.orders.push(Order::Tell(News::Listing { scope, pattern, files }));
            }
            Ask::Remove { scope, name } => {
                let result = match answer.said {
                    Said::Refused { code, sentence } => Err(refusal(code, sentence)),
                    _ => Ok(()),
                };
                self.orders.push(Order::Tell(News::Removed { scope, name, result }));
            }
        }
    }

    /// The files that a name or a pattern means: they line up.
    fn named(&mut self, errand: u64, name: Box<str>, scope: &str, files: Vec<Listed>) {
        if files.is_empty() {
            self.nothing(name, Why::NoSuchFile);
        }
        for file in files {
            // Whatever a stranger called it, here it gets a name that stays below the folder for downloads.
            match FileName::clean(&file.name) {
                Ok(clean) => {
                    let job = Job { key: 0, way: Way::Down, scope: scope.into(), name: file.name, size: file.size };
                    self.begin_work(errand, job, clean, PathBuf::new(), false);
                }
                Err(why) => self.nothing(file.name.clone(), Why::Here(PathBuf::new(), why.to_string().into())),
            }
        }
        self.errand_shrinks(errand);
    }

    fn offer_answered(&mut self, now_ms: u64, key: u64, said: Said) {
        let Some(work) = self.works.get_mut(&key).filter(|work| work.step == Step::Offered) else { return };
        match (said, work.job.way) {
            (Said::Stored, Way::Up) => self.is_there(now_ms, key, None),
            (Said::PutTicket { token, offset }, Way::Up) => {
                let (Some(stamp), Some(digest)) = (work.stamp, work.digest) else { return };
                let path = work.path.clone();
                self.step_to(key, Step::Moving);
                self.note_offset(key, offset);
                self.orders.push(Order::Bring(Upload { key, path, stamp, digest, token, offset }));
            }
            (Said::GetTicket { token, size, digest }, Way::Down) => {
                (work.job.size, work.digest) = (size, Some(digest));
                let name = work.name.clone();
                self.small.leave(key);
                self.big.leave(key);
                self.step_to(key, Step::Moving);
                self.orders.push(Order::Fetch(Download { key, name, token, size, digest }));
            }
            (Said::Refused { code, .. }, _) if matches!(&*code, "BUSY" | "TRY_AGAIN") => {
                self.came(now_ms, key, End::Busy);
            }
            (Said::Refused { code, .. }, _) if &*code == "DIGEST_MISMATCH" => self.came(now_ms, key, End::Mismatch),
            (Said::Refused { code, sentence }, _) => self.failed(key, refusal(code, sentence)),
            (Said::Unsent, _) => self.step_to(key, Step::ToOffer),
            _ => self.came(now_ms, key, End::Broken),
        }
    }

    /// The link is broken; it may come back. Bytes that are moving go on as long as they can.
    pub(super) fn lost(&mut self) {
        if !matches!(self.link, Link::In | Link::NotYet) {
            return;
        }
        self.link = Link::Lost;
        for (_, ask) in std::mem::take(&mut self.asked).into_values() {
            match ask {
                Ask::Offer(key) => self.step_to(key, Step::ToOffer),
                other => self.to_ask.push_back(other),
            }
        }
        self.give_up_questions();
    }

    /// Whoever looks at a screen does not wait for a link that may be gone for long.
    pub(super) fn give_up_questions(&mut self) {
        for ask in std::mem::take(&mut self.to_ask) {
            match ask {
                Ask::List { scope, pattern, .. } => {
                    self.orders.push(Order::Tell(News::Listing { scope, pattern, files: Err(Why::Lost) }));
                }
                Ask::Remove { scope, name } => {
                    self.orders.push(Order::Tell(News::Removed { scope, name, result: Err(Why::Lost) }));
                }
                other => self.to_ask.push_back(other),
            }
        }
    }

    /// Nothing can be moved here, for this reason.
    pub(super) fn link_gone(&mut self, link: Link, why: &Why) {
        self.link = link;
        let asks: Vec<Ask> = std::mem::take(&mut self.asked).into_values().map(|(_, ask)| ask).collect();
        for ask in std::mem::take(&mut self.to_ask).into_iter().chain(asks) {
            let news = match ask {
                Ask::List { scope, pattern, .. } => News::Listing { scope, pattern, files: Err(why.clone()) },
                Ask::Remove { scope, name } => News::Removed { scope, name, result: Err(why.clone()) },
                Ask::Names { name, .. } => News::Nothing { asked: name, why: why.clone() },
                Ask::Offer(_) => continue,
            };
            self.orders.push(Order::Tell(news));
        }
        let keys: Vec<u64> = self.works.keys().copied().collect();
        keys.into_iter().for_each(|key| {
            self.orders.push(Order::Stop(key));
            self.failed(key, why.clone());
        });
        // Errands whose files are not known yet.
        let errands: Vec<u64> = self.errands.keys().copied().collect();
        for errand in errands {
            if let Some(Errand { kept: Kept::Put { path, .. }, .. }) = self.errands.get(&errand) {
                let asked = path.display().to_string().into();
                self.nothing(asked, why.clone());
            }
            self.errand_shrinks(errand);
        }
    }
}

impl Work {
    fn offer(&self) -> Option<Box<str>> {
        match self.job.way {
            Way::Up => {
                Some(lines::put(&self.job.scope, self.job.size, &self.digest?, self.name.as_str(), self.replace))
            }
            Way::Down => Some(lines::get(&self.job.scope, &self.job.name)),
        }
    }
}

/// Asks for all, or for what is behind what is known.
fn list(scope: &str, pattern: Option<&str>, known: &[Listed]) -> Box<str> {
    match known.last() {
        None => lines::list(scope, pattern),
        Some(last) => lines::list_more(scope, pattern, &last.name),
    }
}

/// What is known of a listing.
enum Part {
    /// There are more behind the last of these.
    Some(Vec<Listed>),
    All(Vec<Listed>),
}

/// Puts what came to what was known.
fn listing(said: Said, mut known: Vec<Listed>, pattern: Option<&str>) -> Result<Part, Why> {
    match said {
        Said::Listing { files, more } => {
            let before = known.len();
            known.extend(files);
            // Each answer has to get further.
            let goes_on = known.len() > before && known.len() < LISTED;
            if let Some(last) = more.filter(|_| goes_on)
                && known.last().is_some_and(|file| file.name == last)
            {
                return Ok(Part::Some(known));
            }
            // The first part is what the server says that it is; what comes behind was asked for less exactly.
            let mut number = 0;
            known.retain(|file| {
                number += 1;
                before == 0 || number <= before || lines::fits(pattern, &file.name)
            });
            known.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(Part::All(known))
        }
        Said::Refused { code, sentence } => Err(refusal(code, sentence)),
        // The answer of a server with nothing to say.
        _ => Ok(Part::All(known)),
    }
}

pub(super) fn refusal(code: Box<str>, sentence: Box<str>) -> Why {
    match &*code {
        "NO_SUCH_FILE" => Why::NoSuchFile,
        "421" => Why::NoCloud,
        _ => Why::Refused { code, sentence },
    }
}
