-- SPDX-License-Identifier: Apache-2.0
--
-- FocusFlow V2. Work belongs to an organization when its organization_id says so, else it is personal (FF-39). Indexes
-- on it are partial: personal work, which is most of it, is in none of them and pays for none of them.

CREATE TABLE organizations (
    id                        INTEGER PRIMARY KEY AUTOINCREMENT,
    name                      TEXT NOT NULL,
    slug                      TEXT NOT NULL UNIQUE,
    owner_id                  INTEGER NOT NULL REFERENCES users(id),
    is_active                 INTEGER NOT NULL DEFAULT 1,
    default_pomodoro_duration INTEGER NOT NULL DEFAULT 25,
    require_task_estimates    INTEGER NOT NULL DEFAULT 0,
    working_start             TEXT NOT NULL DEFAULT '09:00',  -- HH:MM in each employee's own zone (FF-37, FF-54)
    working_end               TEXT NOT NULL DEFAULT '17:00',
    created_at                INTEGER NOT NULL
);

-- One row per user and organization, kept after a removal (FF-41) and used again by a new invite.
CREATE TABLE memberships (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organizations(id),
    user_id         INTEGER NOT NULL REFERENCES users(id),
    role            TEXT NOT NULL CHECK (role IN ('employee', 'manager', 'admin')),
    is_active       INTEGER NOT NULL DEFAULT 1,
    joined_at       INTEGER NOT NULL,                         -- the last time
    left_at         INTEGER,                                  -- when it was removed
    UNIQUE (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships(user_id, is_active, joined_at);
CREATE INDEX memberships_organization ON memberships(organization_id, is_active, joined_at);

CREATE TABLE invites (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organizations(id),
    email           TEXT NOT NULL,
    email_key       TEXT NOT NULL,                            -- lower case, as users.email_key
    role            TEXT NOT NULL CHECK (role IN ('employee', 'manager', 'admin')),
    message         TEXT NOT NULL DEFAULT '',
    token_hash      TEXT NOT NULL UNIQUE,                     -- SHA-256; the token is in the answer and the mail only
    invited_by      INTEGER NOT NULL REFERENCES users(id),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    accepted_at     INTEGER,
    replaced_at     INTEGER                                   -- when a newer one for the address took its place
);
-- At most one is pending per address, whatever happens at the same time (FF-43).
CREATE UNIQUE INDEX invites_one_pending ON invites(organization_id, email_key)
    WHERE accepted_at IS NULL AND replaced_at IS NULL;

-- What managers see happening (10.1, FF-47). Types are those of scripts/focusflow/happenings.lua.
CREATE TABLE activities (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id INTEGER NOT NULL REFERENCES organizations(id),
    type            TEXT NOT NULL,
    user_id         INTEGER NOT NULL REFERENCES users(id),    -- who did it
    task_id         INTEGER REFERENCES tasks(id),             -- NULL for a break
    at              INTEGER NOT NULL
);
CREATE INDEX activities_organization ON activities(organization_id, at);
CREATE INDEX activities_user ON activities(organization_id, user_id, at);
CREATE INDEX activities_task ON activities(task_id) WHERE task_id IS NOT NULL;

ALTER TABLE tasks ADD COLUMN assigned_by INTEGER REFERENCES users(id);   -- the last assignment (9.2), NULL without one
ALTER TABLE tasks ADD COLUMN assigned_at INTEGER;
CREATE INDEX tasks_user_assigned ON tasks(user_id, assigned_at) WHERE assigned_at IS NOT NULL;
CREATE INDEX tasks_organization ON tasks(organization_id, created_at) WHERE organization_id IS NOT NULL;
CREATE INDEX tasks_organization_status ON tasks(organization_id, status, created_at)
    WHERE organization_id IS NOT NULL;
CREATE INDEX tasks_organization_started ON tasks(organization_id, started_at)
    WHERE organization_id IS NOT NULL AND started_at IS NOT NULL;
CREATE INDEX tasks_organization_ended ON tasks(organization_id, ended_at)
    WHERE organization_id IS NOT NULL AND ended_at IS NOT NULL;
CREATE INDEX projects_organization ON projects(organization_id, created_at) WHERE organization_id IS NOT NULL;

-- The organization of a break: that of the work it interrupts. A focus session belongs where its task does, and this is
-- NULL.
ALTER TABLE pomodoro_sessions ADD COLUMN organization_id INTEGER REFERENCES organizations(id);
