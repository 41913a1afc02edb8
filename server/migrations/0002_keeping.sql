-- Halts that an operator has cleared, oldest first, and why.
CREATE TABLE unhalted (
    n       INTEGER PRIMARY KEY,
    halted  TEXT NOT NULL,
    because TEXT NOT NULL,
    at      TEXT NOT NULL
);

-- One row that is changed to see whether the database can be written to.
CREATE TABLE trial (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
);

INSERT INTO trial (id, n) VALUES (1, 0);
