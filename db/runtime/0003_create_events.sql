-- What was published in rooms, for clients that come back (runtime/events). A row without body is a marker:
-- the room's log begins after it. The last row of a room stays as long as the room is kept.
CREATE TABLE perigee_events (
  room TEXT NOT NULL,
  seq  INTEGER NOT NULL,
  at   INTEGER NOT NULL,                  -- milliseconds
  skip TEXT,                              -- label of connections that do not get it
  body TEXT,
  PRIMARY KEY (room, seq)
) WITHOUT ROWID;

-- One row: the greatest number of a room that is kept no more. New rooms begin above it.
CREATE TABLE perigee_events_floor (
  seq INTEGER NOT NULL
);
INSERT INTO perigee_events_floor (seq) VALUES (0);
