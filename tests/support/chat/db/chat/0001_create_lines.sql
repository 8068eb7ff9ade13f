-- What is said, and how often somebody left.
CREATE TABLE lines (id INTEGER PRIMARY KEY, room TEXT NOT NULL, said TEXT NOT NULL);
CREATE TABLE departures (id INTEGER PRIMARY KEY, who TEXT NOT NULL, said INTEGER NOT NULL);
