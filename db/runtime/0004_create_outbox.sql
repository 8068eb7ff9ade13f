-- What leaves the server: deliveries of webhooks and mail, written in the transaction of the change that
-- causes them. runtime/outbox explains the columns; rows wait as 'pending' until an outcome is recorded.

CREATE TABLE perigee_webhooks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    owner         TEXT NOT NULL,            -- as the app names it: "organization:1"
    url           TEXT NOT NULL,
    events        TEXT NOT NULL,            -- " one two ": names between blanks
    secret        BLOB NOT NULL,            -- encrypted
    active        INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL,
    failing_since INTEGER,                  -- of the first failure without a success after it
    disabled_at   INTEGER,
    disabled_why  TEXT
);
CREATE INDEX perigee_webhooks_owner ON perigee_webhooks (owner, id);

CREATE TABLE perigee_outbox (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL UNIQUE,  -- the delivery's public id, the same in every attempt
    webhook          INTEGER NOT NULL,      -- 0: mail
    event            TEXT NOT NULL,
    status           TEXT NOT NULL,         -- pending, succeeded, failed; mailbox: mail that is kept to look at
    attempts         INTEGER NOT NULL DEFAULT 0,
    next_at          INTEGER NOT NULL,      -- of the next attempt, Unix milliseconds
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER,               -- of the last attempt
    response_status  INTEGER,
    latency_ms       INTEGER,
    response_excerpt TEXT,
    error            TEXT,
    headers          TEXT NOT NULL,         -- the app's own: "Name: value" lines
    body             BLOB NOT NULL          -- exactly as sent
);
CREATE INDEX perigee_outbox_due ON perigee_outbox (webhook, next_at, seq) WHERE status = 'pending';
CREATE INDEX perigee_outbox_log ON perigee_outbox (webhook, seq);
CREATE INDEX perigee_outbox_old ON perigee_outbox (created_at) WHERE status <> 'pending';

CREATE TABLE perigee_mail (
    seq       INTEGER PRIMARY KEY REFERENCES perigee_outbox (seq) ON DELETE CASCADE,
    recipient TEXT NOT NULL,
    subject   TEXT NOT NULL,
    text      TEXT NOT NULL,
    html      TEXT
);
CREATE INDEX perigee_mail_recipient ON perigee_mail (recipient, seq);
