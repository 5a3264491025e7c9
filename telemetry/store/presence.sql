-- data/culex.db, version 3: presence. Described for its users in data/README.md.

CREATE TABLE connection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- in order of arrival, so that the oldest can go
    client TEXT NOT NULL,             -- who logged in
    client_id TEXT NOT NULL,          -- a long one is cut and ends in a digest
    address TEXT NOT NULL,
    protocol TEXT NOT NULL,           -- 3.1, 3.1.1, 5 or ''
    keep_alive_s INTEGER NOT NULL,
    clean_start INTEGER NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER,                 -- NULL while it is open
    reason TEXT NOT NULL,             -- '' while it is open
    UNIQUE (client_id, since_us)
) STRICT;
CREATE INDEX connection_by_client ON connection (client, since_us);
CREATE INDEX connection_by_time ON connection (since_us);
CREATE INDEX connection_open ON connection (client_id) WHERE until_us IS NULL;

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_us INTEGER NOT NULL,
    kind TEXT NOT NULL,               -- telemetry.presence.EventKind
    client TEXT NOT NULL,             -- '' where it concerns none
    address TEXT NOT NULL,            -- '' where it came from none
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_client ON event (client, time_us);
CREATE INDEX event_by_kind ON event (kind, time_us);
CREATE INDEX event_by_time ON event (time_us);
