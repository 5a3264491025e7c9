-- data/culex.db, version 1: readings. Described for its users in data/README.md.

CREATE TABLE series (
    id INTEGER PRIMARY KEY,           -- internal: leaves this file nowhere
    client TEXT NOT NULL,
    metric TEXT NOT NULL,
    kind TEXT NOT NULL,               -- number, boolean or state
    unit TEXT NOT NULL,
    newest_us INTEGER NOT NULL,       -- the newest reading, so that nobody searches for it
    newest_value ANY NOT NULL,
    newest_received_us INTEGER NOT NULL,
    newest_flags INTEGER NOT NULL,
    UNIQUE (client, metric)
) STRICT;

CREATE TABLE reading (
    series INTEGER NOT NULL REFERENCES series (id),
    time_us INTEGER NOT NULL,         -- microseconds since 1970 UTC
    value ANY NOT NULL,               -- REAL, or TEXT for a state
    delay_us INTEGER NOT NULL,        -- time of receipt minus time_us
    flags INTEGER NOT NULL,           -- telemetry.reading.Flag
    PRIMARY KEY (series, time_us, value)  -- identity: the same again is the same reading
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (               -- a ring: the last deliveries of messages, to know a redelivery
    slot INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

CREATE TABLE state (                  -- what the writer says of itself
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO state VALUES ('sequence', 0);
