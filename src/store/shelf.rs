//! How the index of the cloud's files is written and read: names, digests, owners; never bytes.

use rusqlite::{Connection, Row, Statement};

use super::file::{FileEntry, FileKey, Scope, Stamp};
use super::record::AccountId;
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;
use crate::wire::media::Media;

/// Writes which files there are. Belongs to the store thread; its caller begins and commits. Files come by the thousand, so its statements are ready.
pub struct Shelf<'c> {
    put: Statement<'c>,
    remove: Statement<'c>,
    clear: Statement<'c>,
}

impl<'c> Shelf<'c> {
    /// Prepares the orders.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Shelf<'c>> {
        Ok(Shelf {
            put: db.prepare(
                "INSERT OR REPLACE INTO files
                     (scope, name, digest, size, mtime_ns, inode, stored_ms, uploader, account, media)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?,
            remove: db.prepare("DELETE FROM files WHERE scope = ?1 AND name = ?2")?,
            clear: db.prepare("DELETE FROM files WHERE scope = ?1")?,
        })
    }

    /// A file is there, or it is not.
    pub fn write(&mut self, file: &FileKey, entry: Option<&FileEntry>) -> rusqlite::Result<()> {
        let scope = file.scope.filed_as();
        let Some(entry) = entry else { return self.remove.execute((scope, file.name.as_str())).map(drop) };
        self.put
            .execute(rusqlite::params![
                scope,
                file.name.as_str(),
                entry.digest.0,
                // Numbers beyond 2⁶³ come back as they were: only their bits are kept.
                entry.stamp.size as i64,
                entry.stamp.mtime_ns,
                entry.stamp.inode as i64,
                entry.stored_ms as i64,
                entry.uploader.as_deref(),
                entry.account.map(|account| account.0),
                entry.media.to_string(),
            ])
            .map(drop)
    }

    /// Nothing is there of a group or a pair.
    pub fn clear(&mut self, scope: Scope) -> rusqlite::Result<()> {
        self.clear.execute([scope.filed_as()]).map(drop)
    }
}

/// All files. What a later version wrote and this one does not understand is left out: it looks like a file that a host put there.
pub fn read(db: &Connection) -> rusqlite::Result<Vec<(FileKey, FileEntry)>> {
    let mut all = db.prepare(
        "SELECT scope, name, digest, size, mtime_ns, inode, stored_ms, uploader, account, media FROM files ORDER BY scope, name",
    )?;
    let mut files = Vec::new();
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        files.extend(file(row)?);
    }
    Ok(files)
}

fn file(row: &Row<'_>) -> rusqlite::Result<Option<(FileKey, FileEntry)>> {
    let scope = Scope::of_filed(row.get_ref(0)?.as_str()?);
    let name = FileName::parse(row.get_ref(1)?.as_str()?).ok();
    let digest = row.get_ref(2)?.as_blob()?.try_into().ok().map(Digest);
    let (Some(scope), Some(name), Some(digest)) = (scope, name, digest) else { return Ok(None) };
    let number = |column| row.get::<_, i64>(column).map(|number| number as u64);
    let entry = FileEntry {
        digest,
        stored_ms: number(6)?,
        uploader: row.get_ref(7)?.as_str_or_null()?.map(Box::from),
        account: row.get::<_, Option<u32>>(8)?.map(AccountId),
        media: Media::parse(row.get_ref(9)?.as_str()?).unwrap_or_default(),
        stamp: Stamp { size: number(3)?, mtime_ns: row.get(4)?, inode: number(5)? },
    };
    Ok(Some((FileKey { scope, name }, entry)))
}

#[cfg(test)]
mod tests {
    use super::super::change::Change;
    use super::super::directory;
    use super::super::fixture::Desk;
    use super::super::record::{GroupId, Target};
    use super::*;

    fn entry(size: u64) -> FileEntry {
        FileEntry {
            digest: Digest([7; 32]),
            stored_ms: 1_795_000_000_000,
            uploader: Some("小阳".into()),
            account: Some(AccountId(1000)),
            media: Media::Text,
            stamp: Stamp { size, mtime_ns: -5, inode: u64::MAX },
        }
    }

    fn key(scope: Scope, name: &str) -> FileKey {
        FileKey { scope, name: FileName::parse(name).unwrap() }
    }

    #[test]
    fn a_file_comes_back_as_it_was_written_however_often_that_was() {
        let mut desk = Desk::new();
        let pair = Scope::pair(AccountId(1000), AccountId(1001));
        let host = FileEntry { uploader: None, account: None, media: Media::Unknown, ..entry(5 << 40) };
        let mut files = vec![
            (key(Scope::Group(GroupId(1000)), "周/作业.zip"), entry(1)),
            (key(Scope::Public, "a.txt"), host),
            (key(pair, "a.txt"), entry(3)),
        ];
        let put =
            |file: &(FileKey, FileEntry)| Change::File { file: file.0.clone(), entry: Some(Box::new(file.1.clone())) };
        for _ in 0..2 {
            desk.change(files.iter().map(put).collect());
        }
        let read = |desk: &Desk| directory::read(desk.db).unwrap().files;
        let sorted = |mut files: Vec<(FileKey, FileEntry)>| {
            files.sort_by(|one, other| one.0.cmp(&other.0));
            files
        };
        assert_eq!(sorted(read(&desk)), sorted(files.clone()));
        desk.change(vec![Change::File { file: files.remove(1).0, entry: None }]);
        let desk = desk.again();
        assert_eq!(sorted(read(&desk)), sorted(files));
    }

    #[test]
    fn a_group_that_ends_takes_its_files_along() {
        let mut desk = Desk::new();
        let (tea, coffee) = (GroupId(1000), GroupId(1001));
        let put = |id| Change::File { file: key(Scope::Group(id), "a"), entry: Some(Box::new(entry(1))) };
        desk.change(vec![put(tea), put(coffee), Change::GroupEnded { id: tea, target: Target::group(tea) }]);
        let left: Vec<FileKey> = directory::read(desk.db).unwrap().files.into_iter().map(|(key, _)| key).collect();
        assert_eq!(left, [key(Scope::Group(coffee), "a")]);
    }
}
