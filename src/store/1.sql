-- What GZY keeps, first form. Applied once, within one transaction.

-- Texts that repeat (places, senders) are kept once and stand in the messages as small numbers.
CREATE TABLE names (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

-- `n` counts 1, 2, 3 … in the order of `id`: the search index wants small steps, ids make large ones. Measured against the id as
-- row id and against WITHOUT ROWID by place: writing costs the same (4.3 µs, all three), the row 7 and 19 bytes more, the index
-- many times that less.
CREATE TABLE messages (
    n         INTEGER PRIMARY KEY,
    id        INTEGER NOT NULL,
    target    INTEGER NOT NULL,
    closed_in INTEGER NOT NULL,
    source    INTEGER NOT NULL,
    account   INTEGER,
    flags     INTEGER NOT NULL,
    text      TEXT NOT NULL,
    tags      TEXT,
    sender    INTEGER,
    client_id TEXT
);

-- History reads two narrow ranges of it: what was open to all, and what was said in the one closed instance.
CREATE INDEX messages_by_place ON messages (target, closed_in, id);

-- Sending again is harmless.
CREATE UNIQUE INDEX messages_by_sender ON messages (sender, client_id) WHERE client_id IS NOT NULL;

-- Fed with space-separated pieces by the store, behind the writes. Every category but the separators (Z) is part of a piece.
-- `prefix = '1'` costs 11 bytes and 1 µs per message; a search for one common character among 400 000 takes 1 ms instead of 46.
CREATE VIRTUAL TABLE pieces USING fts5 (
    text,
    content = '', columnsize = 0, detail = 'none', prefix = '1',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
);

-- Up to which `n` the messages are in the search index. Always one row.
CREATE TABLE indexed (upto INTEGER NOT NULL);
INSERT INTO indexed VALUES (0);

-- AUTOINCREMENT: the number of a removed account is never given to another.
CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    folded        TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    admin         INTEGER NOT NULL DEFAULT 0,
    created_ms    INTEGER NOT NULL
);
INSERT INTO sqlite_sequence VALUES ('accounts', 999);
