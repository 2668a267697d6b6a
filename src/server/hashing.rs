//! Where is a password hashed? On a thread that ends with it, two at a time, when nobody who talks needs the processor.

use std::sync::Arc;
use std::thread;

use smol::lock::Semaphore;

use crate::system;

/// Passwords at once: each takes 19 MiB and half a second on a small board.
const AT_ONCE: usize = 2;

/// Whoever has a turn may hash.
#[derive(Clone)]
pub struct Hashing(Arc<Semaphore>);

impl Hashing {
    /// Nobody hashes yet.
    pub fn new() -> Hashing {
        Hashing(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// What the work brings; `None` when there was no thread for it, or it died.
    ///
    /// A thread of its own, because those of a pool take turns, and the C library keeps 19 MiB for each that ever hashed.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _turn = self.0.acquire().await;
        let (tell, told) = async_channel::bounded(1);
        let thread = thread::Builder::new().name("password".into()).spawn(move || {
            system::give_way();
            // Nobody waits any more when the server stops.
            let _ = tell.try_send(work());
        });
        match thread {
            Ok(_) => told.recv().await.ok(),
            Err(why) => {
                log::error!("cannot start a thread to hash a password: {why}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_than_two_hash_at_once_and_each_gets_its_own_answer() {
        let hashing = Hashing::new();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..20).map(|i| {
            let (hashing, running, most) = (hashing.clone(), running.clone(), most.clone());
            async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    i
                };
                assert_eq!(hashing.run(work).await, Some(i));
            }
        });
        let executor = smol::LocalExecutor::new();
        let tasks: Vec<_> = tasks.map(|task| executor.spawn(task)).collect();
        smol::block_on(executor.run(async {
            for task in tasks {
                task.await;
            }
        }));
        assert!((1..=AT_ONCE).contains(&most.load(Ordering::SeqCst)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_hashing_thread_gives_way() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert!(smol::block_on(Hashing::new().run(nice)).unwrap() > before.min(9));
        assert_eq!(nice(), before);
    }

    #[test]
    fn work_that_dies_brings_nothing_and_gives_its_turn_back() {
        let hashing = Hashing::new();
        for _ in 0..=AT_ONCE {
            assert_eq!(smol::block_on(hashing.run(|| -> u8 { panic!("on purpose") })), None);
        }
        assert_eq!(smol::block_on(hashing.run(|| 1)), Some(1));
    }
}
