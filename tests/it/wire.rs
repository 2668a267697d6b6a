//! What somebody reads who has the cable between two computers: everything in the clear, not a word of what is encrypted.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustls::ClientConfig;

use crate::board::Board;
use crate::person::{Person, make_patient};
use crate::tls;

/// What nobody else is to know: who, where, what, and that they talk at all.
const SECRETS: [&str; 7] = ["小阳", "小雨", "#密室", "芝麻开门", "七点老地方", "so be it", "PRIVMSG"];

/// A cable that is tapped: one connection to the server, and all that it carried either way.
struct Cable {
    address: SocketAddr,
    carried: Arc<Mutex<Vec<u8>>>,
    tap: JoinHandle<()>,
}

impl Cable {
    fn to(board: &Board) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let carried = Arc::<Mutex<Vec<u8>>>::default();
        let (record, server) = (carried.clone(), board.address);
        let tap = thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(server).unwrap();
            for stream in [&client, &server] {
                make_patient(stream);
            }
            thread::scope(|both| {
                both.spawn(|| pass_on(&client, &server, &record));
                both.spawn(|| pass_on(&server, &client, &record));
            });
        });
        Cable { address, carried, tap }
    }

    /// Whoever sits at the end of the cable.
    fn person(&self, config: Option<Arc<ClientConfig>>) -> Person {
        match config {
            Some(config) => tls::over(TcpStream::connect(self.address).unwrap(), config),
            None => Person::connect_to(self.address),
        }
    }

    /// All that it carried until both ends hung up.
    fn carried(self) -> Vec<u8> {
        self.tap.join().unwrap();
        Arc::into_inner(self.carried).expect("the tap has ended").into_inner().unwrap()
    }
}

/// Passes bytes on until the end, and keeps a copy.
fn pass_on(mut from: &TcpStream, mut to: &TcpStream, record: &Mutex<Vec<u8>>) {
    let mut piece = [0; 4096];
    loop {
        match from.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                record.lock().unwrap().extend_from_slice(&piece[..count]);
                match to.write_all(&piece[..count]) {
                    Err(why) if why.kind() != ErrorKind::WouldBlock => break,
                    written => written.unwrap(),
                }
            }
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Two people talk in a room and alone; returns what both cables carried.
fn overheard(config: impl Fn(&Board) -> Option<Arc<ClientConfig>>) -> Vec<u8> {
    let board = Board::start(&[]);
    let cables = [Cable::to(&board), Cable::to(&board)];
    let [mut yang, mut rain] = cables.each_ref().map(|cable| cable.person(config(&board)));
    yang.register("小阳", "");
    rain.register("小雨", "");
    yang.ask("JOIN #密室");
    rain.ask("JOIN #密室");
    yang.say("PRIVMSG #密室 :芝麻开门");
    rain.hear(":芝麻开门");
    rain.say("PRIVMSG 小阳 :七点老地方");
    yang.hear(":七点老地方");
    for person in [&mut yang, &mut rain] {
        person.say("QUIT :so be it");
        person.farewell();
    }
    drop((yang, rain));
    cables.into_iter().flat_map(Cable::carried).collect()
}

/// Which of the secrets can be read in these bytes.
fn readable(bytes: &[u8]) -> Vec<&'static str> {
    let is_in = |secret: &&str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    SECRETS.into_iter().filter(is_in).collect()
}

#[test]
fn no_word_of_an_encrypted_conversation_is_on_the_wire() {
    assert_eq!(readable(&overheard(|_| None)), SECRETS, "in the clear everything is");
    assert_eq!(readable(&overheard(|board| Some(tls::knowing(board)))), [""; 0]);
}
