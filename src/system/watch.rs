//! How does a thread sleep until one of its sockets has something for it? By the system's own means where they cost little; elsewhere somebody else must watch.

pub use here::{Bell, Watch};

/// What a socket has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ready {
    /// The number that it was added under.
    pub key: u64,
    /// There is something to read, or the end.
    pub readable: bool,
    /// There is room to write, or no use in waiting for it.
    pub writable: bool,
}

#[cfg(target_os = "linux")]
mod here {
    use std::io;
    use std::net::TcpStream;
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::task::Wake;

    use rustix::buffer::spare_capacity;
    use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
    use rustix::event::{EventfdFlags, Timespec, eventfd};
    use rustix::io::Errno;

    use super::Ready;

    /// Events taken at once.
    const EVENTS: usize = 128;
    /// The number of the bell; sockets count from 1.
    const BELL: u64 = 0;

    const AWAKE: u8 = 0;
    const RUNG: u8 = 1;
    const ASLEEP: u8 = 2;

    /// Watches sockets for one thread. A change is told once; who was told tries until there is nothing left.
    pub struct Watch {
        epoll: OwnedFd,
        events: Vec<Event>,
        bell: Arc<Bell>,
    }

    /// Wakes the thread, from any other and from itself.
    pub struct Bell {
        state: AtomicU8,
        cord: OwnedFd,
    }

    impl Watch {
        /// Watches nothing yet.
        pub fn new() -> io::Result<Watch> {
            let epoll = epoll::create(CreateFlags::CLOEXEC)?;
            let cord = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            epoll::add(&epoll, &cord, EventData::new_u64(BELL), EventFlags::IN | EventFlags::ET)?;
            let bell = Arc::new(Bell { state: AtomicU8::new(AWAKE), cord });
            Ok(Watch { epoll, events: Vec::with_capacity(EVENTS), bell })
        }

        /// Watches a socket under this number, which is not 0. It ends when the socket is closed.
        pub fn add(&self, socket: &TcpStream, key: u64) -> io::Result<()> {
            let both = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            Ok(epoll::add(&self.epoll, socket, EventData::new_u64(key), both)?)
        }

        /// What wakes the thread.
        pub fn bell(&self) -> Arc<Bell> {
            self.bell.clone()
        }

        /// From here on the thread looks at what it has to do: rings before this count as heard.
        pub fn wake_up(&self) {
            self.bell.state.store(AWAKE, Ordering::SeqCst);
        }

        /// Sleeps until a socket has something, or the bell rings, or has rung since the thread woke up.
        pub fn rest(&mut self, mut tell: impl FnMut(Ready)) -> io::Result<()> {
            let fell_asleep =
                self.bell.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok();
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            self.events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut self.events), (!fell_asleep).then_some(&at_once)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(why) => return Err(why.into()),
            }
            let over = EventFlags::ERR | EventFlags::HUP;
            for event in &self.events {
                let (flags, key) = (event.flags, event.data.u64());
                if key != BELL {
                    let readable = flags.intersects(EventFlags::IN | EventFlags::RDHUP | over);
                    tell(Ready { key, readable, writable: flags.intersects(EventFlags::OUT | over) });
                }
            }
            Ok(())
        }
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            if self.state.swap(RUNG, Ordering::SeqCst) == ASLEEP {
                // It cannot be full: that takes 2^64 rings.
                let _ = rustix::io::write(&self.cord, &1_u64.to_ne_bytes());
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod here {
    use std::io;
    use std::net::TcpStream;
    use std::sync::Arc;
    use std::task::Wake;

    use super::Ready;

    /// There is none here.
    pub struct Watch;

    /// Belongs to it.
    pub struct Bell;

    impl Watch {
        /// Says so.
        pub fn new() -> io::Result<Watch> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// Never called.
        pub fn add(&self, _: &TcpStream, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// Never called.
        pub fn bell(&self) -> Arc<Bell> {
            Arc::new(Bell)
        }

        /// Never called.
        pub fn wake_up(&self) {}

        /// Never called.
        pub fn rest(&mut self, _: impl FnMut(Ready)) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {}
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::task::Waker;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let near = listener.accept().unwrap().0;
        near.set_nonblocking(true).unwrap();
        (far, near)
    }

    fn told(watch: &mut Watch) -> Vec<Ready> {
        let mut all = Vec::new();
        watch.rest(|ready| all.push(ready)).unwrap();
        all
    }

    #[test]
    fn a_change_is_told_once_and_the_next_one_again() {
        let (mut far, mut near) = pair();
        let mut watch = Watch::new().unwrap();
        watch.add(&near, 7).unwrap();
        assert_eq!(told(&mut watch), [Ready { key: 7, readable: false, writable: true }]);
        for _ in 0..2 {
            far.write_all(b"x").unwrap();
            assert!(told(&mut watch).iter().all(|ready| ready.key == 7 && ready.readable));
            near.read_exact(&mut [0]).unwrap();
        }
        drop(far);
        assert!(told(&mut watch)[0].readable, "the end can be read");
    }

    #[test]
    fn a_ring_from_anywhere_wakes_it_and_none_is_lost() {
        let mut watch = Watch::new().unwrap();
        let bell = Waker::from(watch.bell());
        bell.wake_by_ref();
        assert_eq!(told(&mut watch), [], "it had rung before");
        watch.wake_up();
        let other = std::thread::spawn(move || bell.wake());
        assert_eq!(told(&mut watch), []);
        other.join().unwrap();
    }
}
