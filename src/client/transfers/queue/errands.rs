//! What becomes of a wish: one errand per path or name, one work per file.

use super::*;

impl Queue {
    pub(super) fn wished(&mut self, wish: Wish) {
        match wish {
            Wish::Put { paths, scope, replace } => {
                for path in paths {
                    let kept = Kept::Put { path: path.clone(), scope: scope.clone(), replace };
                    if let Some(errand) = self.begin_errand(kept) {
                        self.orders.push(Order::Look { errand, path });
                    }
                }
            }
            Wish::Get { names, scope } => {
                for name in names {
                    let kept = Kept::Get { name: name.clone(), scope: scope.clone() };
                    if let Some(errand) = self.begin_errand(kept) {
                        self.to_ask.push_back(Ask::Names { errand, name, scope: scope.clone(), known: vec![] });
                    }
                }
            }
            Wish::List { pattern, scope } => self.to_ask.push_back(Ask::List { scope, pattern, known: vec![] }),
            Wish::Remove { name, scope } => self.to_ask.push_back(Ask::Remove { scope, name }),
            Wish::Cancel(Some(key)) => self.cancel(key),
            Wish::Cancel(None) => {
                let keys: Vec<u64> = self.works.keys().copied().collect();
                keys.into_iter().for_each(|key| self.cancel(key));
                // What was not even found yet is not looked for any more.
                let errands: Vec<u64> = self.errands.keys().copied().collect();
                errands.into_iter().for_each(|errand| self.errand_shrinks(errand));
            }
        }
        match self.link {
            Link::NoCloud => self.link_gone(Link::NoCloud, &Why::NoCloud),
            Link::Ended => self.link_gone(Link::Ended, &Why::Lost),
            Link::Lost => self.give_up_questions(),
            Link::NotYet | Link::In => {}
        }
    }

    /// The same errand twice is one.
    pub(super) fn begin_errand(&mut self, kept: Kept) -> Option<u64> {
        if self.errands.values().any(|errand| errand.kept == kept) {
            return None;
        }
        self.last_errand += 1;
        self.errands.insert(self.last_errand, Errand { kept, open: 1 });
        self.keep();
        Some(self.last_errand)
    }

    /// One thing of an errand is done.
    pub(super) fn errand_shrinks(&mut self, number: u64) {
        let Some(errand) = self.errands.get_mut(&number) else { return };
        errand.open -= 1;
        if errand.open > 0 {
            return;
        }
        self.errands.remove(&number);
        // What is unfinished when the link ends is taken up again the next time.
        if self.link != Link::Ended {
            self.keep();
        }
        if self.errands.is_empty() {
            self.progress = Report::default();
            self.orders.push(Order::Tell(News::Progress(Vec::new())));
            self.orders.push(Order::Tell(News::AllDone));
        }
    }

    pub(super) fn keep(&mut self) {
        self.orders.push(Order::Keep(self.errands.values().map(|errand| errand.kept.clone()).collect()));
    }

    /// A path was looked at: its files line up.
    pub(super) fn looked(&mut self, errand: u64, found: Vec<Found>, odd: Vec<(PathBuf, Box<str>)>) {
        let Some(Errand { kept: Kept::Put { path, scope, replace }, .. }) = self.errands.get(&errand) else { return };
        let (path, scope, replace) = (path.clone(), scope.clone(), *replace);
        if found.is_empty() && odd.is_empty() {
            self.nothing(path.display().to_string().into(), Why::NoSuchFile);
        }
        for (path, why) in odd {
            self.nothing(path.display().to_string().into(), Why::Here(path, why));
        }
        for Found { path, name, size } in found {
            let job = Job { key: 0, way: Way::Up, scope: scope.clone(), name: name.as_str().into(), size };
            self.begin_work(errand, job, name, path, replace);
        }
        self.errand_shrinks(errand);
    }

    pub(super) fn nothing(&mut self, asked: Box<str>, why: Why) {
        self.orders.push(Order::Tell(News::Nothing { asked, why }));
    }

    pub(super) fn begin_work(&mut self, errand: u64, mut job: Job, name: FileName, path: PathBuf, replace: bool) {
        if !self.known.insert((job.way, job.scope.clone(), job.name.clone())) {
            return;
        }
        if let Some(errand) = self.errands.get_mut(&errand) {
            errand.open += 1;
        }
        self.last_key += 1;
        job.key = self.last_key;
        self.orders.push(Order::Tell(News::Began(job.clone())));
        let step = if job.way == Way::Up { Step::ToHash } else { Step::ToOffer };
        let work = Work {
            job,
            errand,
            name,
            path,
            replace,
            step,
            digest: None,
            stamp: None,
            began_ms: None,
            has_moved: false,
            mismatches: 0,
            failures: 0,
            done: 0,
            meter: Meter::default(),
        };
        self.works.insert(self.last_key, work);
        self.step_to(self.last_key, step);
    }
}
