-- The ledger: entries, append-only; what follows from them; and one row of state.

CREATE TABLE entries (
    idx   INTEGER PRIMARY KEY CHECK (idx >= 0),
    -- SHA-256 of body: the same bytes are stored once.
    dedup BLOB NOT NULL UNIQUE CHECK (length(dedup) = 32),
    -- The envelope as submitted.
    body  BLOB NOT NULL CHECK (length(body) BETWEEN 1 AND 65535)
) STRICT;

-- What the entries say: a function of them, kept for looking up. idx is the entry that last set the value.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    idx   INTEGER NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What lists are filtered by, a line an entry: a function of the entries too.
CREATE TABLE catalogue (
    idx      INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    digest   TEXT NOT NULL,
    member   TEXT,
    registry TEXT,
    dataset  TEXT,
    query    TEXT
) STRICT;

CREATE INDEX catalogue_kind ON catalogue (kind, idx);
CREATE INDEX catalogue_digest ON catalogue (kind, digest);
CREATE INDEX catalogue_query ON catalogue (query, idx) WHERE query IS NOT NULL;
CREATE INDEX catalogue_dataset ON catalogue (dataset, idx) WHERE dataset IS NOT NULL;
CREATE INDEX catalogue_member ON catalogue (member, idx) WHERE member IS NOT NULL;
CREATE INDEX catalogue_registry ON catalogue (registry, idx) WHERE registry IS NOT NULL;

CREATE TABLE log_state (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    origin         TEXT NOT NULL,
    -- Entries committed: their indices are 0 to size - 1.
    size           INTEGER NOT NULL CHECK (size >= 0),
    -- The last signed checkpoint; both null until there is one.
    published_size INTEGER CHECK (published_size BETWEEN 0 AND size),
    checkpoint     TEXT CHECK ((checkpoint IS NULL) = (published_size IS NULL)),
    -- Why publication was stopped for good; only an operator clears it.
    halted         TEXT
) STRICT;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER log_state_is_not_deleted BEFORE DELETE ON log_state
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER log_state_only_grows BEFORE UPDATE ON log_state
WHEN NEW.size < OLD.size
  OR NEW.origin <> OLD.origin
  OR (OLD.published_size IS NOT NULL AND NEW.published_size IS NULL)
  OR NEW.published_size < OLD.published_size
  OR (NEW.published_size = OLD.published_size AND NEW.checkpoint <> OLD.checkpoint)
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
