-- SPDX-License-Identifier: Apache-2.0
--
-- Instants are unix seconds in UTC. Clients see a row's uuid, never its id: ids tell how many there are and in which
-- order they came, which is what the host and the lists need them for.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid          TEXT NOT NULL UNIQUE,
    email         TEXT NOT NULL,
    email_key     TEXT NOT NULL UNIQUE,      -- lower case: an address is taken whatever its case
    password_hash TEXT NOT NULL,
    name          TEXT,
    created_at    INTEGER NOT NULL
);

CREATE TABLE quests (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        TEXT NOT NULL UNIQUE,
    user_id     INTEGER NOT NULL REFERENCES users(id),
    title       TEXT NOT NULL,
    description TEXT,
    created_at  INTEGER NOT NULL
);
CREATE INDEX quests_user ON quests(user_id, created_at, id);

CREATE TABLE focus_sessions (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid             TEXT NOT NULL UNIQUE,
    user_id          INTEGER NOT NULL REFERENCES users(id),
    quest_id         INTEGER REFERENCES quests(id),
    description      TEXT,
    duration_minutes INTEGER NOT NULL,
    status           TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'cancelled')),
    started_at       INTEGER NOT NULL,
    completed_at     INTEGER,
    CHECK ((status = 'completed') = (completed_at IS NOT NULL))      -- cancelled is not completed (FS-8)
);
-- The history, newest first, also of one status or one quest (FS-10).
CREATE INDEX focus_sessions_user ON focus_sessions(user_id, started_at, id);
CREATE INDEX focus_sessions_status ON focus_sessions(user_id, status, started_at, id);
CREATE INDEX focus_sessions_quest ON focus_sessions(user_id, quest_id, started_at, id);
