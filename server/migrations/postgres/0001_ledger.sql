-- The ledger: entries, append-only; what follows from them; and one row of state.

CREATE TABLE entries (
    idx   BIGINT PRIMARY KEY CHECK (idx >= 0),
    -- SHA-256 of body: the same bytes are stored once.
    dedup BYTEA NOT NULL UNIQUE CHECK (length(dedup) = 32),
    -- The envelope as submitted.
    body  BYTEA NOT NULL CHECK (length(body) BETWEEN 1 AND 65535)
);

-- What the entries say: a function of them, kept for looking up. idx is the entry that last set the value.
-- Names sort by their bytes, as in SQLite, whatever the database's locale.
CREATE TABLE facts (
    name  TEXT COLLATE "C" PRIMARY KEY,
    idx   BIGINT NOT NULL,
    value TEXT NOT NULL
);

-- What lists are filtered by, a line an entry: a function of the entries too.
CREATE TABLE catalogue (
    idx      BIGINT PRIMARY KEY,
    kind     TEXT NOT NULL,
    digest   TEXT NOT NULL,
    member   TEXT,
    registry TEXT,
    dataset  TEXT,
    query    TEXT
);

CREATE INDEX catalogue_kind ON catalogue (kind, idx);
CREATE INDEX catalogue_digest ON catalogue (kind, digest);
CREATE INDEX catalogue_query ON catalogue (query, idx) WHERE query IS NOT NULL;
CREATE INDEX catalogue_dataset ON catalogue (dataset, idx) WHERE dataset IS NOT NULL;
CREATE INDEX catalogue_member ON catalogue (member, idx) WHERE member IS NOT NULL;
CREATE INDEX catalogue_registry ON catalogue (registry, idx) WHERE registry IS NOT NULL;

CREATE TABLE log_state (
    id             BIGINT PRIMARY KEY CHECK (id = 1),
    origin         TEXT NOT NULL,
    -- Entries committed: their indices are 0 to size - 1.
    size           BIGINT NOT NULL CHECK (size >= 0),
    -- The last signed checkpoint; both null until there is one.
    published_size BIGINT CHECK (published_size BETWEEN 0 AND size),
    checkpoint     TEXT CHECK ((checkpoint IS NULL) = (published_size IS NULL)),
    -- Why publication was stopped for good; only an operator clears it.
    halted         TEXT
);

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;

CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger only grows'; END $$;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
EXECUTE FUNCTION ledger_is_append_only();

CREATE TRIGGER log_state_is_not_deleted BEFORE DELETE OR TRUNCATE ON log_state
EXECUTE FUNCTION ledger_is_append_only();

CREATE TRIGGER log_state_only_grows BEFORE UPDATE ON log_state FOR EACH ROW
WHEN (NEW.size < OLD.size
  OR NEW.origin <> OLD.origin
  OR (OLD.published_size IS NOT NULL AND NEW.published_size IS NULL)
  OR NEW.published_size < OLD.published_size
  OR (NEW.published_size = OLD.published_size AND NEW.checkpoint <> OLD.checkpoint))
EXECUTE FUNCTION ledger_only_grows();
