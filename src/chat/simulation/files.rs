//! The cloud of a simulated day: a disk that prepares, stores and fails in its own time, and those who come by HTTP.

use std::net::{IpAddr, Ipv4Addr};

use crate::chat::shelf::order::{Fault, Intake, ShelfFact, ShelfOrder, StoredFile};
use crate::chat::shelf::web::{WebId, WebRequest, WebWish};
use crate::store::file::Stamp;
use crate::wire::digest::Digest;
use crate::wire::media::Media;

use super::super::Input;
use super::super::testing::World;
use super::dice::Dice;

/// Of a hundred uploads, so many fail, and so many break off.
const FAILING: usize = 10;
const BREAKING: usize = 20;

/// Names and contents that people bring: few, so that they meet.
const NAMES: &[&str] = &["a", "b", "folder/a", "folder", "照片.jpg"];

/// What the disk of the cloud is doing.
#[derive(Default)]
pub struct Files {
    /// To be looked at, and whether the same content is there.
    asked: Vec<(Intake, bool)>,
    /// Bytes may come.
    open: Vec<Intake>,
    webs: u64,
}

impl Files {
    /// One thing happens; gives the fact, if there is one.
    pub fn next(&mut self, world: &mut World, dice: &mut Dice) -> Option<Input> {
        for order in world.orders() {
            match order {
                ShelfOrder::Prepare { intake, same } => self.asked.push((*intake, !same.is_empty())),
                ShelfOrder::Discard { part } => self.open.retain(|intake| intake.part != part),
                ShelfOrder::Remove { .. } | ShelfOrder::RemoveAll { .. } | ShelfOrder::Share { .. } => {}
            }
        }
        world.web_replies.clear();
        if !self.asked.is_empty() && dice.percent(60) {
            let (intake, is_there) = self.asked.swap_remove(dice.roll(self.asked.len()));
            return Some(Input::Shelf(self.prepare(intake, is_there, dice)));
        }
        if self.open.is_empty() {
            return None;
        }
        let at = dice.roll(self.open.len());
        let upload = self.open[at].upload;
        Some(Input::Shelf(match dice.roll(100) {
            roll if roll < BREAKING => ShelfFact::Paused { upload, offset: 1 },
            roll if roll < BREAKING + FAILING => {
                self.open.swap_remove(at);
                ShelfFact::Failed { upload, fault: Fault::DigestMismatch }
            }
            _ => stored(&self.open.swap_remove(at)),
        }))
    }

    fn prepare(&mut self, intake: Intake, is_there: bool, dice: &mut Dice) -> ShelfFact {
        let upload = intake.upload;
        if dice.percent(FAILING) {
            return ShelfFact::Failed { upload, fault: Fault::DiskFull };
        }
        if is_there {
            return stored(&intake);
        }
        self.open.retain(|other| other.upload != upload);
        self.open.push(intake);
        ShelfFact::Prepared { upload, offset: 0 }
    }

    /// Somebody comes by HTTP, or has gone.
    pub fn visit(&mut self, dice: &mut Dice) -> Input {
        if dice.percent(20) {
            return Input::WebGone { web: WebId(self.webs) };
        }
        self.webs += 1;
        let name = dice.pick(NAMES).into();
        let wish = match dice.roll(4) {
            0 => WebWish::List { folder: "".into() },
            1 => WebWish::Remove { name },
            _ => WebWish::Put { name, size: Some(5), digest: None, replaces: None, may_rename: dice.percent(50) },
        };
        let address = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));
        let request = Box::new(WebRequest { address, is_secure: false, login: None, wish });
        Input::Web { web: WebId(self.webs), request }
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self, world: &World) -> bool {
        self.asked.is_empty() && self.open.is_empty() && world.shelf_orders.is_empty()
    }
}

fn stored(intake: &Intake) -> ShelfFact {
    let digest = intake.digest.unwrap_or(Digest([intake.upload.0 as u8; 32]));
    let stamp = Stamp { size: intake.size.unwrap_or(9), mtime_ns: 1, inode: intake.upload.0 };
    ShelfFact::Stored(vec![StoredFile { upload: intake.upload, digest, media: Media::Unknown, stamp }])
}

/// A line about files that somebody types.
pub fn line(dice: &mut Dice) -> String {
    let scope = dice.pick(&["*", "*", "*", "#lobby", "#a", "anna", "小阳", "1002", "#nowhere"]);
    let (name, content) = (dice.pick(NAMES), Digest([dice.roll(4) as u8; 32]));
    match dice.roll(10) {
        0 => format!("FILE LIST {scope}"),
        1 => format!("FILE GET {scope} :{name}"),
        2 => format!("FILE DEL {scope} :{name}"),
        3 => format!("FILE REPLACE {scope} 5 {content} :{name}"),
        _ => format!("FILE PUT {scope} 5 {content} :{name}"),
    }
}
