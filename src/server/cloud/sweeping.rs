//! Removes what broken-off uploads have left.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::disk::Disk;
use super::folder::Kind;
use super::twins::LINK;

/// So long the bytes of a broken-off upload stay: who was cut off in the evening can go on the next evening.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How parts begin that nobody can go on with after a start: their content has no name.
const UNNAMED: &str = "put.";

/// Removes old parts; at a start also those that nobody can go on with.
pub fn sweep(disk: &Disk, is_start: bool) {
    let mut parts = Vec::new();
    let listed = disk.tree.parts().list(|entry| {
        if entry.kind == Kind::File {
            parts.extend(entry.name.to_str().map(str::to_owned));
        }
    });
    if let Err(why) = listed {
        log::warn!("cannot look for broken-off uploads in the cloud's folder: {why}");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for part in parts {
        let is_unnamed = is_start && (part.starts_with(UNNAMED) || part.starts_with(LINK));
        let written = disk.tree.parts().stamp(&part).map_or(0, |stamp| stamp.mtime_ns);
        let is_old = i128::from(written) < now.saturating_sub(KEPT).as_nanos() as i128;
        if is_unnamed || is_old {
            disk.streams.unless_busy(&part, || disk.tree.remove_part(&part));
        }
    }
}
