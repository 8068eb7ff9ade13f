-- What was live when: every release with the scripts of each app. Texts are kept once, by their SHA-256; a tree is the
-- list of an app's files, by the SHA-256 over it.

CREATE TABLE releases (
    number     INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    who        TEXT NOT NULL,      -- who asked: a user of the system, "watch", "start"
    reason     TEXT NOT NULL       -- start, save, reload, rollback to N
);

CREATE TABLE release_apps (
    number INTEGER NOT NULL REFERENCES releases(number),
    app    TEXT NOT NULL,
    tree   TEXT NOT NULL,
    PRIMARY KEY (number, app)
) WITHOUT ROWID;
CREATE INDEX release_apps_tree ON release_apps(tree);

CREATE TABLE release_files (
    tree TEXT NOT NULL,
    path TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tree, path)
) WITHOUT ROWID;
CREATE INDEX release_files_text ON release_files(text);

CREATE TABLE release_texts (
    hash  TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) WITHOUT ROWID;
