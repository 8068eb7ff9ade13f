-- A room that is kept from the start, as if somebody had listened before a restart.
INSERT INTO perigee_events (room, seq, at) VALUES ('kept', 1000, 1000);
