CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id     INTEGER NOT NULL,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    key_hash      TEXT NOT NULL UNIQUE,
    admin         INTEGER NOT NULL DEFAULT 0
);
