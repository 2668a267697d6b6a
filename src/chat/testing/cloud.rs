//! The disk's side of the cloud in a world, and those who come by HTTP.

use super::*;
use crate::chat::Secret;
use crate::chat::shelf::order::{Intake, ShelfFact, StoredFile};
use crate::chat::shelf::web::{WebId, WebRequest, WebWish};
use crate::store::file::Stamp;
use crate::wire::digest::Digest;
use crate::wire::media::Media;

/// What a client must take to bring files.
pub const FILES: &str = "gzy/files gzy/long-lines standard-replies batch";

/// The digest of a content, which tests name by a letter.
pub fn digest(content: char) -> Digest {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&u32::from(content).to_be_bytes());
    Digest(digest)
}

impl World {
    /// What the disk was asked to do since this was last asked.
    pub fn orders(&mut self) -> Vec<ShelfOrder> {
        std::mem::take(&mut self.shelf_orders)
    }

    /// What the disk is asked to prepare, when that is all.
    pub fn prepares(&mut self) -> Vec<Intake> {
        let orders = self.orders().into_iter();
        let intake = |order| match order {
            ShelfOrder::Prepare { intake, .. } => *intake,
            other => panic!("{other:?}"),
        };
        orders.map(intake).collect()
    }

    /// The disk tells something.
    pub fn disk(&mut self, fact: ShelfFact) {
        self.handle(Input::Shelf(fact));
    }

    /// The disk does all that it was asked for, until it has nothing to do: the same content is linked, everything else gets its ticket.
    pub fn disk_works(&mut self) {
        while !self.shelf_orders.is_empty() {
            for order in self.orders() {
                let ShelfOrder::Prepare { intake, same } = order else { continue };
                let upload = intake.upload;
                match same.first() {
                    Some((_, stamp)) => self.bytes_are_there(&intake, stamp.size),
                    None => self.disk(ShelfFact::Prepared { upload, offset: 0 }),
                }
            }
        }
    }

    /// All bytes of an upload are on the disk, and are what was announced.
    pub fn bytes_are_there(&mut self, intake: &Intake, size: u64) {
        let digest = intake.digest.unwrap_or_else(|| digest('?'));
        self.bytes_are(intake, digest, size, Media::Unknown);
    }

    /// The same, as something.
    pub fn bytes_are(&mut self, intake: &Intake, digest: Digest, size: u64, media: Media) {
        let stamp = Stamp { size, mtime_ns: 1, inode: intake.upload.0 };
        self.disk(ShelfFact::Stored(vec![StoredFile { upload: intake.upload, digest, media, stamp }]));
    }

    /// Somebody wants something by HTTP; gives what is answered at once.
    pub fn web(&mut self, wish: WebWish) -> (WebId, Vec<WebReply>) {
        self.web_as(None, wish)
    }

    /// The same with a name and a password.
    pub fn web_as(&mut self, login: Option<(&str, &str)>, wish: WebWish) -> (WebId, Vec<WebReply>) {
        self.webs += 1;
        let web = WebId(self.webs);
        let login = login.map(|(name, password)| (name.into(), Secret(password.into())));
        let address = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));
        let request = WebRequest { address, is_secure: true, login, wish };
        self.handle(Input::Web { web, request: Box::new(request) });
        let replies = self.web_said(web);
        (web, replies)
    }

    /// Redeems a ticket.
    pub fn redeem(&mut self, token: &str) -> (WebId, Vec<WebReply>) {
        self.web(WebWish::Redeem { token: token.into() })
    }

    /// What a request was answered since this was last asked.
    pub fn web_said(&mut self, web: WebId) -> Vec<WebReply> {
        let (mine, others) = std::mem::take(&mut self.web_replies).into_iter().partition(|(other, _)| *other == web);
        self.web_replies = others;
        let mine: Vec<(WebId, WebReply)> = mine;
        mine.into_iter().map(|(_, reply)| reply).collect()
    }

    /// Somebody brings a file by line and HTTP, and it is kept. Everybody has heard of it.
    pub fn brings(&mut self, who: ConnId, scope: &str, name: &str, content: char) {
        self.line(who, &format!("FILE PUT {scope} 5 {} :{name}", digest(content)));
        let intakes = self.prepares();
        for intake in &intakes {
            self.bytes_are_there(intake, 5);
        }
        assert_eq!(intakes.len(), 1, "{:?}", self.said_to(who));
        self.save();
    }
}
