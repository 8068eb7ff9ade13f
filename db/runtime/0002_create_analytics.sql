-- Sums per 15-minute UTC slot: one row per subject and UTC day (days since 1970-01-01), packed by
-- runtime/analytics/pack.c. Kinds and measures are hashes of their names; the names are kept for
-- people, for verification and to refuse two names with one hash.
CREATE TABLE perigee_analytics (
    subject_kind INTEGER NOT NULL,
    subject_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, day)
) WITHOUT ROWID;

CREATE TABLE perigee_analytics_names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
