-- SPDX-License-Identifier: Apache-2.0
--
-- FocusFlow V1. Instants are unix seconds in UTC. AUTOINCREMENT because an id is never given out twice (FF-15).
-- An index ends with the row's id by itself, so equal keys are in the order of their ids.

CREATE TABLE users (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    email               TEXT NOT NULL,
    email_key           TEXT NOT NULL UNIQUE,      -- lower case: unique without regard to case (FF-8)
    username            TEXT NOT NULL,
    username_key        TEXT NOT NULL UNIQUE,
    password_hash       TEXT NOT NULL,
    first_name          TEXT NOT NULL DEFAULT '',
    last_name           TEXT NOT NULL DEFAULT '',
    user_type           TEXT NOT NULL DEFAULT 'individual',
    timezone            TEXT NOT NULL DEFAULT 'UTC',
    focus_duration      INTEGER,                   -- minutes; NULL: never set by the user (FF-22)
    short_break         INTEGER NOT NULL DEFAULT 5,
    long_break          INTEGER NOT NULL DEFAULT 15,
    long_break_interval INTEGER NOT NULL DEFAULT 4,
    created_at          INTEGER NOT NULL
);

-- One row per log-in: what a logout ends (FF-3).
CREATE TABLE logins (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users(id),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
);
CREATE INDEX logins_user ON logins(user_id, created_at);

CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users(id),
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL UNIQUE,               -- SHA-256; the key itself is shown once and not kept (FF-60)
    created_at INTEGER NOT NULL
);
CREATE INDEX api_keys_user ON api_keys(user_id, created_at);

CREATE TABLE projects (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id         INTEGER NOT NULL REFERENCES users(id),
    organization_id INTEGER,
    name            TEXT NOT NULL,
    description     TEXT NOT NULL DEFAULT '',
    color_code      TEXT NOT NULL DEFAULT '#3498db',
    is_active       INTEGER NOT NULL DEFAULT 1,
    created_at      INTEGER NOT NULL
);
CREATE INDEX projects_user ON projects(user_id, created_at);

CREATE TABLE tasks (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id             INTEGER NOT NULL REFERENCES users(id),
    project_id          INTEGER REFERENCES projects(id),
    organization_id     INTEGER,
    title               TEXT NOT NULL,
    description         TEXT NOT NULL DEFAULT '',
    status              TEXT NOT NULL DEFAULT 'pending'
                        CHECK (status IN ('pending', 'in_progress', 'paused', 'completed')),
    priority            TEXT NOT NULL DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    estimated_pomodoros INTEGER NOT NULL DEFAULT 1,
    completed_pomodoros INTEGER NOT NULL DEFAULT 0,  -- sums over the task's ended focus sessions
    total_focus_seconds INTEGER NOT NULL DEFAULT 0,
    created_at          INTEGER NOT NULL,
    started_at          INTEGER,                     -- the first start
    ended_at            INTEGER                      -- when it was completed
);
CREATE INDEX tasks_user_created ON tasks(user_id, created_at);
CREATE INDEX tasks_user_status  ON tasks(user_id, status, created_at);
-- Partial: most writes are new tasks, and those are in neither.
CREATE INDEX tasks_user_started ON tasks(user_id, started_at) WHERE started_at IS NOT NULL;
CREATE INDEX tasks_user_ended   ON tasks(user_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX tasks_project      ON tasks(project_id, user_id, created_at);

CREATE TABLE pomodoro_sessions (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id                 INTEGER NOT NULL REFERENCES users(id),
    task_id                 INTEGER REFERENCES tasks(id),  -- NULL for a break
    is_break                INTEGER NOT NULL DEFAULT 0,
    break_type              TEXT CHECK (break_type IN ('short', 'long')),
    duration_minutes        INTEGER NOT NULL,
    started_at              INTEGER NOT NULL,
    resumed_at              INTEGER NOT NULL,              -- start of the current span; started_at until a resume
    paused_at               INTEGER,                       -- set while paused
    ends_at                 INTEGER,                       -- planned end while running
    ended_at                INTEGER,                       -- NULL while open
    actual_duration_seconds INTEGER NOT NULL DEFAULT 0,    -- sum of its spans, known at the end
    completed               INTEGER NOT NULL DEFAULT 0,
    CHECK (is_break = (task_id IS NULL))
);
-- A user has at most one open session (FF-21): this index is the guarantee, everything else is courtesy.
CREATE UNIQUE INDEX sessions_one_open ON pomodoro_sessions(user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_user_started ON pomodoro_sessions(user_id, started_at);
CREATE INDEX sessions_task ON pomodoro_sessions(task_id, started_at);

-- The stretches of a session between its pauses; one is added at each pause and at the end.
CREATE TABLE session_spans (
    session_id INTEGER NOT NULL REFERENCES pomodoro_sessions(id),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL CHECK (ended_at > started_at),
    PRIMARY KEY (session_id, started_at)
) WITHOUT ROWID;
