-- SPDX-License-Identifier: Apache-2.0
--
-- ProFlow. Every row has two names: seq, by which lists are ordered and rows refer to what never leaves the house, and
-- id, the opaque text that clients see (PF-17). What clients name beside an object (team_id, project_id, …) is kept as
-- that text, so that a list needs no joins. Times are Unix seconds.

CREATE TABLE organizations (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE users (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    organization  INTEGER NOT NULL REFERENCES organizations(seq),
    name          TEXT NOT NULL,
    email         TEXT NOT NULL,
    email_key     TEXT NOT NULL UNIQUE,            -- lower case: unique without regard to case
    password_hash TEXT,                            -- NULL: can only use keys that others made
    role          TEXT NOT NULL,
    status        TEXT NOT NULL DEFAULT 'active',
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);
CREATE INDEX users_organization ON users(organization);

CREATE TABLE api_keys (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    organization INTEGER NOT NULL REFERENCES organizations(seq),
    user         INTEGER NOT NULL REFERENCES users(seq),
    name         TEXT NOT NULL,
    key_hash     TEXT NOT NULL UNIQUE,             -- SHA-256; the key itself is shown once and not kept (PF-1)
    created_at   INTEGER NOT NULL
);
CREATE INDEX api_keys_organization ON api_keys(organization);
CREATE INDEX api_keys_user ON api_keys(user);

CREATE TABLE teams (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    organization INTEGER NOT NULL REFERENCES organizations(seq),
    name         TEXT NOT NULL,
    description  TEXT,
    status       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE INDEX teams_organization ON teams(organization);

CREATE TABLE team_members (
    team_id TEXT NOT NULL REFERENCES teams(id),
    user    INTEGER NOT NULL REFERENCES users(seq),
    PRIMARY KEY (team_id, user)
) WITHOUT ROWID;

CREATE TABLE projects (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    organization INTEGER NOT NULL REFERENCES organizations(seq),
    team_id      TEXT REFERENCES teams(id),
    name         TEXT NOT NULL,
    description  TEXT,
    status       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE INDEX projects_organization ON projects(organization);
CREATE INDEX projects_team ON projects(team_id) WHERE team_id IS NOT NULL;

-- An index ends with seq by itself: (organization) gives an organization's tasks in the order of their lists.
CREATE TABLE tasks (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    organization INTEGER NOT NULL REFERENCES organizations(seq),
    project_id   TEXT NOT NULL REFERENCES projects(id),
    assignee_id  TEXT REFERENCES users(id),
    title        TEXT NOT NULL,
    description  TEXT,
    status       TEXT NOT NULL,
    priority     TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE INDEX tasks_organization ON tasks(organization);
CREATE INDEX tasks_status ON tasks(organization, status);
CREATE INDEX tasks_project ON tasks(project_id);
CREATE INDEX tasks_assignee ON tasks(assignee_id) WHERE assignee_id IS NOT NULL;

-- Recorded time is never lost: the task may be gone (PF-11).
CREATE TABLE time_entries (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    organization INTEGER NOT NULL REFERENCES organizations(seq),
    task_id      TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users(id),
    duration     INTEGER NOT NULL CHECK (duration >= 1 AND duration <= 86400),
    description  TEXT,
    started_at   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
);
CREATE INDEX time_entries_organization ON time_entries(organization);
CREATE INDEX time_entries_task ON time_entries(task_id);
CREATE INDEX time_entries_user ON time_entries(user_id);
