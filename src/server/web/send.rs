//! A download that is too large to go out with its head: past this program where the system can, in pieces that grow while the other side takes all.

use std::fs::File;
use std::io;

use smol::future::yield_now;

use crate::system::moving;

use super::shared::Pace;
use super::writer::Writer;

/// The smallest and the largest piece that is sent past this program: between two of them the others get their turn.
const PIECES: (usize, usize) = (16 << 10, 1 << 20);
/// The same for what is read here and encrypted. The largest is what a receiver that suddenly stops makes the server hold.
const READ_PIECES: (usize, usize) = (16 << 10, 64 << 10);

impl Writer<'_> {
    /// Sends bytes of a file.
    pub(super) async fn send_bytes(&mut self, file: &File, start: u64, length: u64) -> io::Result<()> {
        let mut sending = Sending { file, at: start, end: start + length, pace: self.visit.shared.pace() };
        if !self.visit.link.is_encrypted() {
            match self.pass(&mut sending).await {
                Err(why) if why.kind() == io::ErrorKind::Unsupported => {}
                result => return result,
            }
        }
        self.copy(&mut sending).await
    }

    /// Lets the system move them.
    async fn pass(&mut self, sending: &mut Sending<'_>) -> io::Result<()> {
        let visit = self.visit;
        let mut piece = PIECES.0;
        while sending.at < sending.end {
            let wanted = sending.pace.allowed(sending.at_most(piece)).await;
            let sent = visit.link.send_file(sending.file, sending.at, wanted)?;
            sending.went(sent);
            if sent == wanted {
                piece = (piece * 2).min(PIECES.1);
                yield_now().await;
            } else {
                piece = (piece / 2).max(PIECES.0);
                visit.writable().await?;
            }
        }
        Ok(())
    }

    /// Reads them, and writes them again.
    async fn copy(&mut self, sending: &mut Sending<'_>) -> io::Result<()> {
        let visit = self.visit;
        let mut piece = READ_PIECES.0;
        while sending.at < sending.end {
            let wanted = sending.pace.allowed(sending.at_most(piece)).await;
            let taken = {
                let mut scratch = visit.shared.scratch.borrow_mut();
                let count = moving::read_at(sending.file, &mut scratch[..wanted], sending.at)?;
                if count == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
                }
                visit.link.write_much(&scratch[..count], &mut visit.shared.sealed.borrow_mut())?
            };
            sending.went(taken);
            if taken == wanted && visit.link.unsent_bytes() == 0 {
                piece = (piece * 2).min(READ_PIECES.1);
                yield_now().await;
            } else {
                piece = READ_PIECES.0;
                self.wait_until_sent(taken == 0).await?;
            }
        }
        self.wait_until_sent(false).await
    }

    /// Waits until what was encrypted is out, and once at least where nothing was taken.
    async fn wait_until_sent(&mut self, was_full: bool) -> io::Result<()> {
        let visit = self.visit;
        if was_full && visit.link.unsent_bytes() == 0 {
            visit.writable().await?;
        }
        while visit.link.unsent_bytes() > 0 {
            visit.writable().await?;
            visit.link.write_much(&[], &mut visit.shared.sealed.borrow_mut())?;
        }
        Ok(())
    }
}

/// A file on its way.
struct Sending<'a> {
    file: &'a File,
    at: u64,
    end: u64,
    pace: Pace,
}

impl Sending<'_> {
    fn at_most(&self, piece: usize) -> usize {
        piece.min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX))
    }

    fn went(&mut self, count: usize) {
        self.at += count as u64;
        self.pace.spend(count);
    }
}
