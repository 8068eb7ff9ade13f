-- Tables for the specs of the host functions.
CREATE TABLE owners (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE things (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    owner_id INTEGER REFERENCES owners(id) DEFERRABLE INITIALLY DEFERRED,
    size REAL,
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    made_at INTEGER,
    extra TEXT
) STRICT;
