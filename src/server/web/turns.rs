//! How many transfers run at once, and how many of them for one address?

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use smol::lock::{Semaphore, SemaphoreGuardArc};

/// Turns at transfers. Whoever waits for one is served in order.
#[derive(Clone)]
pub struct Turns(Rc<Inner>);

struct Inner {
    all: Arc<Semaphore>,
    /// Half of all, so that one address cannot take every turn.
    per_address: usize,
    by_address: RefCell<HashMap<IpAddr, Arc<Semaphore>>>,
}

/// The right to move a file. It ends when it is dropped.
pub struct Turn {
    turns: Turns,
    address: IpAddr,
    guards: Option<(Option<SemaphoreGuardArc>, SemaphoreGuardArc)>,
}

impl Turns {
    /// So many at once.
    pub fn new(most: usize) -> Turns {
        let by_address = RefCell::default();
        let most = most.max(1);
        Turns(Rc::new(Inner { all: Arc::new(Semaphore::new(most)), per_address: most.div_ceil(2), by_address }))
    }

    /// Waits for a turn. `address` is a household; this machine's own has no share of its own, for a proxy in front of the server may speak for everybody.
    pub async fn take(&self, address: IpAddr) -> Turn {
        // Made before the first wait, and dropped last: whoever gives up while waiting cleans up as well.
        let mut turn = Turn { turns: self.clone(), address, guards: None };
        let mine = if address.is_loopback() { None } else { Some(self.of_address(address).acquire_arc().await) };
        turn.guards = Some((mine, self.0.all.acquire_arc().await));
        turn
    }

    fn of_address(&self, address: IpAddr) -> Arc<Semaphore> {
        let share = || Arc::new(Semaphore::new(self.0.per_address));
        self.0.by_address.borrow_mut().entry(address).or_insert_with(share).clone()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guards = None;
        let mut by_address = self.turns.0.by_address.borrow_mut();
        if by_address.get(&self.address).is_some_and(|share| Arc::strong_count(share) == 1) {
            by_address.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use smol::future::poll_once;

    use super::*;

    fn at_once(turns: &Turns, address: &str) -> Option<Turn> {
        smol::block_on(poll_once(turns.take(address.parse().unwrap())))
    }

    #[test]
    fn one_address_takes_half_and_the_others_the_rest() {
        let turns = Turns::new(4);
        let mut eves: Vec<Turn> = (0..2).map(|_| at_once(&turns, "192.0.2.1").unwrap()).collect();
        assert!(at_once(&turns, "192.0.2.1").is_none());
        let others = (at_once(&turns, "192.0.2.2").unwrap(), at_once(&turns, "192.0.2.3").unwrap());
        assert!(at_once(&turns, "192.0.2.4").is_none(), "all are taken");
        eves.pop();
        let anna = at_once(&turns, "192.0.2.4").unwrap();
        drop((eves, others, anna));
        assert!(turns.0.by_address.borrow().is_empty());
    }

    #[test]
    fn this_machine_may_take_all() {
        let turns = Turns::new(2);
        let both = (at_once(&turns, "127.0.0.1").unwrap(), at_once(&turns, "127.0.0.1").unwrap());
        assert!(at_once(&turns, "::1").is_none());
        drop(both);
        assert!(at_once(&turns, "::1").is_some());
    }
}
