//! Signals as mail: TERM and INT stop the server, HUP reads the message of the day and the certificate again and reopens the log.

use std::path::PathBuf;

use async_channel::Sender;
use async_signal::{Signal, Signals};
use smol::stream::StreamExt;

use crate::chat::Input;

use super::hub::Mail;
use super::tls::Keeper;
use super::{logfile, motd};

/// What is listened for.
#[cfg(unix)]
const WATCHED: [Signal; 3] = [Signal::Term, Signal::Int, Signal::Hup];
/// Ctrl-C is all that Windows sends to a program in a console.
#[cfg(not(unix))]
const WATCHED: [Signal; 1] = [Signal::Int];

/// Signals are gathered from here on. Called before the server says that it is ready: whoever reads that may send one at once.
pub fn gather() -> Option<Signals> {
    let signals = Signals::new(WATCHED);
    signals.inspect_err(|why| log::error!("signals cannot be watched ({why}); stopping will be abrupt")).ok()
}

/// Passes signals on for ever.
pub async fn watch(
    mut signals: Signals,
    mail: Sender<Mail>,
    motd_path: Option<PathBuf>,
    log: logfile::Reopen,
    keeper: Keeper,
) {
    while let Some(signal) = signals.next().await {
        let sent = match signal {
            Ok(Signal::Term | Signal::Int) => mail.send(Mail::Stop).await,
            Ok(Signal::Hup) => {
                log.reopen();
                log::info!("SIGHUP: the log was reopened; the certificate and the message of the day are read again");
                keeper.reload();
                match motd::read(motd_path.as_deref()) {
                    Ok(lines) => mail.send(Mail::Fact(Input::MotdRead(lines))).await,
                    Err(why) => {
                        log::error!("{why}; the old one stays");
                        Ok(())
                    }
                }
            }
            Ok(_) => Ok(()),
            Err(why) => return log::error!("signals cannot be watched any more: {why}"),
        };
        if sent.is_err() {
            return;
        }
    }
}
