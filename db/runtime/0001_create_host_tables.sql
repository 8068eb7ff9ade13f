-- The host's own tables, in every app's database.

-- Outcomes of requests with an Idempotency-Key; `sealed` is encrypted status, headers and body.
CREATE TABLE perigee_idempotency (
  scope      TEXT NOT NULL,               -- principal, method, path
  key        TEXT NOT NULL,
  body_hash  TEXT NOT NULL,
  sealed     BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX perigee_idempotency_expires ON perigee_idempotency (expires_at);

CREATE TABLE perigee_timers (
  key      TEXT NOT NULL PRIMARY KEY,
  name     TEXT NOT NULL,
  args     TEXT NOT NULL,
  due_at   INTEGER NOT NULL,
  next_at  INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX perigee_timers_next ON perigee_timers (next_at, key);
