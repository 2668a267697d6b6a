//! The plug is pulled again and again under load: every receipt that anybody saw is kept, and nothing is there twice.

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::board::{Board, PATIENCE, folder};
use crate::person::{HISTORIAN, Person, tag, text};

/// How often the plug is pulled.
const ROUNDS: usize = 8;
/// Writers at once.
const WRITERS: usize = 3;
/// Messages that a writer sends before it waits for receipts.
const UNDER_WAY: usize = 16;
/// Receipts after which the plug is pulled; a different number in each round, so that it hits different moments.
const RECEIPTS_BEFORE_THE_END: [usize; ROUNDS] = [1, 40, 333, 7, 150, 512, 80, 25];

/// A message that came back to its sender.
struct Receipt {
    id: String,
    text: String,
}

/// One writer's memory across the lives of the server.
struct Writer {
    name: String,
    sent: usize,
    /// Sent and not acknowledged, oldest first; sent again with the same id when the server is back.
    unacknowledged: Vec<String>,
}

impl Writer {
    /// Writes until the connection ends, telling every receipt.
    fn write(&mut self, address: SocketAddr, receipts: &Sender<Receipt>) {
        let Ok(stream) = TcpStream::connect_timeout(&address, PATIENCE) else { return };
        let mut person = Person::over(stream);
        let hello = format!("CAP REQ :{HISTORIAN}\r\nNICK {0}\r\nUSER {0} 0 * :{0}\r\nCAP END", self.name);
        let mut alive = person.try_say(&hello);
        for text in &self.unacknowledged {
            alive = alive && person.try_say(&line(text));
        }
        while alive {
            while alive && self.unacknowledged.len() < UNDER_WAY {
                self.sent += 1;
                let text = format!("{}-{} 写下来的话", self.name, self.sent);
                alive = person.try_say(&line(&text));
                self.unacknowledged.push(text);
            }
            let Some(heard) = person.next() else { return };
            let said = text(&heard);
            // Others' messages are in the room too; only what is waited for is a receipt.
            if let Some(at) = self.unacknowledged.iter().position(|text| *text == said) {
                assert_eq!(at, 0, "receipts come in order");
                self.unacknowledged.remove(at);
                let _ = receipts.send(Receipt { id: tag(&heard, "msgid").expect("a receipt has an id"), text: said });
            }
        }
    }
}

/// A message with the sender's own id, which is its text's first word.
fn line(text: &str) -> String {
    format!("@+gzy/id={} PRIVMSG #lobby :{text}", text.split(' ').next().unwrap())
}

#[test]
fn every_receipt_survives_kill_9_and_nothing_is_kept_twice() {
    let data = folder();
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| Writer { name: format!("writer{number}"), sent: 0, unacknowledged: Vec::new() })
        .collect();
    let mut acknowledged: HashMap<String, String> = HashMap::new();
    for wanted in RECEIPTS_BEFORE_THE_END {
        let board = Board::start_in(data.path(), &["--flood", "off"]);
        acknowledged.extend(one_life(board, &mut writers, wanted));
        check(&Board::start_in(data.path(), &[]), &acknowledged);
    }
    // At the end everybody sends the rest again and goes when it is acknowledged.
    let board = Board::start_in(data.path(), &["--flood", "off"]);
    for writer in &mut writers {
        let mut person = Person::join_with(&board, &writer.name, HISTORIAN);
        for text in std::mem::take(&mut writer.unacknowledged) {
            person.say(&line(&text));
            let receipt = person.hear(&text);
            acknowledged.insert(text, tag(&receipt, "msgid").unwrap());
        }
    }
    check(&board, &acknowledged);
    assert_eq!(acknowledged.len(), writers.iter().map(|writer| writer.sent).sum::<usize>(), "nothing was lost");
}

/// Everybody writes until there are enough receipts; then the plug is pulled. All receipts that were seen, by text.
fn one_life(board: Board, writers: &mut [Writer], wanted: usize) -> HashMap<String, String> {
    let (tell, told) = channel();
    let address = board.address;
    thread::scope(|scope| {
        for writer in writers {
            let tell = tell.clone();
            scope.spawn(move || writer.write(address, &tell));
        }
        drop(tell);
        let mut seen: Vec<Receipt> =
            (0..wanted).map(|_| told.recv_timeout(PATIENCE).expect("receipts keep coming")).collect();
        board.pull_the_plug();
        seen.extend(told.iter());
        seen.into_iter().map(|receipt| (receipt.text, receipt.id)).collect()
    })
}

/// Everything acknowledged is there, under its id, once; and a newcomer sees the last ten.
fn check(board: &Board, acknowledged: &HashMap<String, String>) {
    let mut reader = Person::join_with(board, "reader", HISTORIAN);
    let kept = reader.history("#lobby");
    let by_text: HashMap<&str, &str> = kept.iter().map(|(id, text)| (text.as_str(), id.as_str())).collect();
    assert_eq!(by_text.len(), kept.len(), "nothing is kept twice");
    assert_eq!(kept.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), kept.len(), "ids are unique");
    for (text, id) in acknowledged {
        assert_eq!(by_text.get(text.as_str()), Some(&id.as_str()), "{text}");
    }
    let mut newcomer = Person::connect(board);
    let shown = newcomer.register("newcomer", "");
    let shown: Vec<String> = shown.iter().filter(|line| line.contains(" PRIVMSG ")).map(|line| text(line)).collect();
    let last: Vec<String> = kept[kept.len().saturating_sub(10)..].iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(shown, last, "a newcomer sees the last ten");
}
