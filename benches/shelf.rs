//! What a file costs the rules: offered, prepared, redeemed, stored, kept and announced, in microseconds of one core.
//!
//! `cargo bench --bench shelf [FILES]` (10 000 unless said otherwise). No disk, no network: only the decisions.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use gzy::chat::shelf::order::{Intake, ShelfFact, ShelfOrder, StoredFile};
use gzy::chat::shelf::web::{WebId, WebReply, WebRequest, WebWish};
use gzy::chat::{Chat, CloudRules, ConnId, Effect, Input, Now, Settings};
use gzy::store::directory::Directory;
use gzy::store::file::Stamp;
use gzy::wire::digest::Digest;
use gzy::wire::media::Media;
use gzy::wire::msgid::MsgId;
use gzy::wire::name::RoomName;

/// Files that the disk syncs together, as it does when many small ones come.
const SYNCED_TOGETHER: usize = 64;
const ANNA: ConnId = ConnId { slot: 0, serial: 1 };

struct Bench {
    chat: Chat,
    now: Now,
    effects: Vec<Effect>,
    spent: Duration,
}

impl Bench {
    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let begun = Instant::now();
        self.chat.handle(self.now, input, &mut self.effects);
        self.spent += begun.elapsed();
        self.effects.drain(..).collect()
    }

    fn line(&mut self, text: String) -> Vec<Effect> {
        self.handle(Input::Line { conn: ANNA, text: text.into() })
    }

    /// Everything that was handed over is on the disk.
    fn save(&mut self, effects: &[Effect]) -> usize {
        let id = |effect: &Effect| match effect {
            Effect::Record { id, .. } => Some(*id),
            Effect::Remember { message, .. } => Some(message.id),
            _ => None,
        };
        let ids: Vec<MsgId> = effects.iter().filter_map(id).collect();
        let Some(up_to) = ids.iter().max().copied() else { return 0 };
        let told = self.handle(Input::Saved { up_to, count: ids.len(), result: Ok(()) });
        told.iter()
            .filter(|effect| matches!(effect, Effect::Web { reply, .. } if matches!(**reply, WebReply::Stored { .. })))
            .count()
    }
}

fn main() {
    let files: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10_000);
    let mut bench = begin();
    let mut stored = 0;
    let numbers: Vec<u32> = (0..files).collect();
    for together in numbers.chunks(SYNCED_TOGETHER) {
        let intakes: Vec<Intake> = together.iter().map(|number| offer(&mut bench, *number)).collect();
        for intake in &intakes {
            redeem(&mut bench, intake);
        }
        let whole = intakes.into_iter().map(|intake| StoredFile {
            upload: intake.upload,
            digest: intake.digest.unwrap_or(Digest([0; 32])),
            media: Media::Unknown,
            stamp: Stamp { size: 10_240, ..Stamp::default() },
        });
        let effects = bench.handle(Input::Shelf(ShelfFact::Stored(whole.collect())));
        stored += bench.save(&effects);
    }
    assert_eq!(stored as u32, files, "every file is kept and told");
    let micros = bench.spent.as_secs_f64() * 1e6 / f64::from(files);
    println!("{files} files offered, brought, kept and announced: {micros:.2} us each");
    let begun = Instant::now();
    bench.line("FILE LIST *".into());
    println!("the first part of their listing: {:.0} us", begun.elapsed().as_secs_f64() * 1e6);
}

fn begin() -> Bench {
    let settings = Settings {
        network: "GZY".into(),
        lobby: RoomName::parse("#lobby").ok(),
        guests: true,
        registration: true,
        clear_passwords: false,
        replay: 10,
        password: None,
        cloak_secret: [7; 32],
        utc_offset_secs: 0,
        cloud: CloudRules::default(),
    };
    let now = Now { mono_ms: 1, wall_ms: 1_795_180_761_000 };
    let mut effects = Vec::new();
    let chat = Chat::new(settings, Vec::new(), Directory::default(), MsgId(0), now, &mut effects);
    let mut bench = Bench { chat, now, effects, spent: Duration::ZERO };
    bench.handle(Input::Connected { conn: ANNA, address: IpAddr::V4(Ipv4Addr::LOCALHOST) });
    for line in [
        "CAP REQ :gzy/files gzy/long-lines batch message-tags labeled-response",
        "NICK anna",
        "USER anna 0 * :anna",
        "CAP END",
    ] {
        bench.line(line.into());
    }
    bench.spent = Duration::ZERO;
    bench
}

/// Offers a file; gives what the disk is asked to take.
fn offer(bench: &mut Bench, number: u32) -> Intake {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    let name = format!("homework/week{}/picture-{number:06}.jpg", number / 100);
    let line = format!("@label=f{number} FILE PUT * 10240 {} :{name}", Digest(digest));
    let asked = bench.line(line).into_iter().find_map(|effect| match effect {
        Effect::Shelf(order) => Some(*order),
        _ => None,
    });
    match asked {
        Some(ShelfOrder::Prepare { intake, .. }) => *intake,
        other => unreachable!("{other:?}"),
    }
}

/// The disk is ready, and the bytes are asked for.
fn redeem(bench: &mut Bench, intake: &Intake) {
    let told = bench.handle(Input::Shelf(ShelfFact::Prepared { upload: intake.upload, offset: 0 }));
    let line = told.into_iter().find_map(|effect| match effect {
        Effect::Send { lines, .. } => Some(lines),
        _ => None,
    });
    let token = line.as_deref().and_then(|line| line.split(' ').nth(5)).unwrap_or_default().into();
    let request = WebRequest {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_secure: false,
        login: None,
        wish: WebWish::Redeem { token },
    };
    let web = WebId(intake.upload.0);
    let replies = bench.handle(Input::Web { web, request: Box::new(request) });
    assert!(
        matches!(&replies[..], [Effect::Web { reply, .. }] if matches!(**reply, WebReply::Receive(_))),
        "{replies:?}"
    );
}
