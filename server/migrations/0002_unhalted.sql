-- Halts that an operator has cleared, oldest first, and why.
CREATE TABLE unhalted (
    n       INTEGER PRIMARY KEY,
    halted  TEXT NOT NULL,
    because TEXT NOT NULL,
    at      TEXT NOT NULL
);
