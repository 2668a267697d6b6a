-- What GZY keeps, fourth form: which files the cloud holds. Applied once, within one transaction.

-- The bytes are plain files; this says whose they are and what they were when they were verified. `scope` is `*`, `&1000` (a group) or
-- `=1000 1001` (two accounts). Found by its name within its scope, never by anything else: the rules hold all of it in memory.
CREATE TABLE files (
    scope     TEXT NOT NULL,
    name      TEXT NOT NULL,
    digest    BLOB NOT NULL,
    size      INTEGER NOT NULL,
    mtime_ns  INTEGER NOT NULL,
    inode     INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    uploader  TEXT,
    account   INTEGER,
    media     TEXT NOT NULL,
    PRIMARY KEY (scope, name)
) WITHOUT ROWID;
