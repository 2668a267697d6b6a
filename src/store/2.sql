-- What GZY keeps, second form: people and groups that outlive a connection. Applied once, within one transaction.

ALTER TABLE accounts ADD COLUMN display TEXT;

-- Private messages up to this id were handed to a client that cannot ask for them.
ALTER TABLE accounts ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;

-- The rules give the numbers.
CREATE TABLE groups (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    owner       INTEGER NOT NULL,
    since_ms    INTEGER NOT NULL,
    flags       TEXT NOT NULL,
    room_key    TEXT,
    members_max INTEGER,
    topic       TEXT,
    topic_by    TEXT,
    topic_ms    INTEGER
);

-- `joined` is the id of the change that made somebody a member: it grows, so it is the order of joining.
CREATE TABLE members (
    group_id INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    joined   INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (group_id, account)
) WITHOUT ROWID;

CREATE TABLE group_lists (
    group_id INTEGER NOT NULL,
    list     TEXT NOT NULL,
    mask     TEXT NOT NULL,
    set_by   TEXT NOT NULL,
    set_ms   INTEGER NOT NULL,
    PRIMARY KEY (group_id, list, mask)
) WITHOUT ROWID;

CREATE TABLE invitations (
    group_id   INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    invited_by TEXT NOT NULL,
    invited_ms INTEGER NOT NULL,
    PRIMARY KEY (group_id, account)
) WITHOUT ROWID;

-- Up to when an account has read a place. `target` is a number from `names`.
CREATE TABLE markers (
    account  INTEGER NOT NULL,
    target   INTEGER NOT NULL,
    up_to_ms INTEGER NOT NULL,
    PRIMARY KEY (account, target)
) WITHOUT ROWID;

-- The newest message of each private conversation, once for each of the two: who talked with whom is known without a look at messages.
CREATE TABLE conversations (
    account INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    newest  INTEGER NOT NULL,
    PRIMARY KEY (account, target)
) WITHOUT ROWID;

-- Wrong passwords that still count, by what is paused.
CREATE TABLE pauses (
    paused   TEXT PRIMARY KEY,
    wrong    INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Numbers that are never given twice, also when what had them is gone. Always one row.
CREATE TABLE ends (
    last_n     INTEGER NOT NULL,
    last_id    INTEGER NOT NULL,
    last_group INTEGER NOT NULL
);
INSERT INTO ends VALUES (0, 0, 999);

-- Places of groups that ended: their messages are found by nobody, and swept away in pauses.
CREATE TABLE ended (target INTEGER PRIMARY KEY);

-- With the sender in it, unread messages are counted without a look at the messages themselves. It costs 2 bytes per message; counting
-- is 20 times quicker.
DROP INDEX messages_by_place;
CREATE INDEX messages_by_place ON messages (target, closed_in, id, account);

-- How many rows the search index holds that are noted as gone.
ALTER TABLE indexed ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;

-- The terms of the index, in their order; a row for each message that has one, so that the first is told without counting.
CREATE VIRTUAL TABLE words USING fts5vocab (pieces, instance);

-- Conversations were filed under two folded names; now under the numbers of the accounts, the smaller one first.
UPDATE OR IGNORE names SET text = (
        SELECT '=' || min(a.id, b.id) || ' ' || max(a.id, b.id) FROM accounts AS a, accounts AS b
        WHERE a.folded = substr(names.text, 1, instr(names.text, ' ') - 1)
          AND b.folded = substr(names.text, instr(names.text, ' ') + 1))
    WHERE instr(text, ' ') > 0 AND EXISTS (
        SELECT 1 FROM accounts AS a, accounts AS b
        WHERE a.folded = substr(names.text, 1, instr(names.text, ' ') - 1)
          AND b.folded = substr(names.text, instr(names.text, ' ') + 1));

INSERT INTO conversations (account, target, newest)
    SELECT CAST(substr(pair.text, 2, instr(pair.text, ' ') - 2) AS INTEGER), pair.id, pair.newest FROM
        (SELECT id, text, (SELECT max(m.id) FROM messages AS m WHERE m.target = names.id AND m.closed_in = 0) AS newest
         FROM names WHERE text GLOB '=* *') AS pair WHERE pair.newest IS NOT NULL
    UNION
    SELECT CAST(substr(pair.text, instr(pair.text, ' ') + 1) AS INTEGER), pair.id, pair.newest FROM
        (SELECT id, text, (SELECT max(m.id) FROM messages AS m WHERE m.target = names.id AND m.closed_in = 0) AS newest
         FROM names WHERE text GLOB '=* *') AS pair WHERE pair.newest IS NOT NULL;
