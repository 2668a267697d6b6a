//! Until when does a connection wait? One timer looks after all of them: a timer for each read would wake the thread of the talk each time.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// A moment at which somebody stops waiting. One waits at a time.
#[derive(Default)]
pub struct Due {
    at: Cell<Option<Instant>>,
    waiting: Cell<Option<Waker>>,
}

impl Due {
    /// Waits for something, but not beyond that moment; `None` when it has come. It is noticed at the next [`Dues::ring`].
    pub async fn until<T>(&self, at: Instant, what: impl Future<Output = T>) -> Option<T> {
        let mut what = pin!(what);
        let mut looked = false;
        poll_fn(|cx| {
            if let Poll::Ready(result) = what.as_mut().poll(cx) {
                self.at.set(None);
                return Poll::Ready(Some(result));
            }
            if std::mem::replace(&mut looked, true) && at <= Instant::now() {
                self.at.set(None);
                return Poll::Ready(None);
            }
            self.at.set(Some(at));
            self.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// The same for so long from here on.
    pub async fn within<T>(&self, limit: Duration, what: impl Future<Output = T>) -> Option<T> {
        self.until(Instant::now() + limit, what).await
    }
}

/// Everybody who may wait.
#[derive(Default)]
pub struct Dues(RefCell<Vec<Weak<Due>>>);

impl Dues {
    /// Somebody more.
    pub fn open(&self) -> Rc<Due> {
        let due = Rc::new(Due::default());
        self.0.borrow_mut().push(Rc::downgrade(&due));
        due
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Wakes those whose moment has come, and forgets those who are gone.
    pub fn ring(&self, now: Instant) {
        self.0.borrow_mut().retain(|due| {
            let Some(due) = due.upgrade() else { return false };
            if due.at.get().is_some_and(|at| at <= now)
                && let Some(waiting) = due.waiting.take()
            {
                waiting.wake();
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use smol::future::{pending, poll_once, ready, zip};

    use super::*;

    #[test]
    fn what_comes_in_time_is_had_and_what_does_not_is_given_up() {
        let dues = Dues::default();
        let due = dues.open();
        smol::block_on(async {
            assert_eq!(due.within(Duration::ZERO, ready(7)).await, Some(7));
            let at = Instant::now();
            let mut waiting = pin!(due.until(at, pending::<()>()));
            assert_eq!(poll_once(waiting.as_mut()).await, None, "nobody has rung");
            let ring = async { dues.ring(at) };
            assert_eq!(zip(waiting, ring).await.0, None);
        });
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let dues = Dues::default();
        let (one, other) = (dues.open(), dues.open());
        drop(one);
        dues.ring(Instant::now());
        assert!(!dues.is_empty());
        drop(other);
        dues.ring(Instant::now());
        assert!(dues.is_empty());
    }
}
