-- data/culex.db, version 2: everything that arrived is accounted for. Described in data/README.md.

CREATE TABLE ledger (                 -- one row for each client and hour of receipt
    client TEXT NOT NULL,             -- '' where the topic names no client that is known
    hour_us INTEGER NOT NULL,
    messages INTEGER NOT NULL,        -- = the six after it
    messages_stored INTEGER NOT NULL,
    messages_duplicate INTEGER NOT NULL,
    messages_retained INTEGER NOT NULL,
    messages_quarantined INTEGER NOT NULL,
    messages_held INTEGER NOT NULL,
    messages_limited INTEGER NOT NULL,
    readings INTEGER NOT NULL,        -- = the six after it
    readings_stored INTEGER NOT NULL,
    readings_duplicate INTEGER NOT NULL,
    readings_retained INTEGER NOT NULL,
    readings_quarantined INTEGER NOT NULL,
    readings_held INTEGER NOT NULL,
    readings_limited INTEGER NOT NULL,
    erased INTEGER NOT NULL DEFAULT 0,  -- of readings_stored, removed later
    PRIMARY KEY (client, hour_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,             -- with hour_us: where the ledger counts it
    hour_us INTEGER NOT NULL,
    first_us INTEGER NOT NULL,        -- when it arrived
    last_us INTEGER NOT NULL,         -- the same, or of several that are only counted the last
    topic TEXT NOT NULL,              -- '' where it is only counted
    payload BLOB,                     -- NULL where it is only counted
    size INTEGER NOT NULL,            -- bytes as it arrived
    reason TEXT NOT NULL,
    metric TEXT NOT NULL,
    facts TEXT NOT NULL,              -- what else its publisher said: JSON
    count INTEGER NOT NULL,           -- messages
    messages_quarantined INTEGER NOT NULL,
    messages_held INTEGER NOT NULL,
    readings_quarantined INTEGER NOT NULL,
    readings_held INTEGER NOT NULL
) STRICT;
CREATE INDEX quarantine_by_topic ON quarantine (topic, reason);
CREATE UNIQUE INDEX quarantine_counted ON quarantine (client, hour_us, reason) WHERE payload IS NULL;

DROP TABLE delivery;
CREATE TABLE delivery (               -- a ring: the last deliveries of messages, to know a redelivery
    last INTEGER PRIMARY KEY,         -- how many deliveries there were up to the last of this batch
    keys BLOB NOT NULL                -- 18 bytes each: packet identifier, 16 bytes of digest
) STRICT;

CREATE TABLE identity (               -- what publishers call their messages, to know a repetition
    position INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,         -- 16 bytes that stand for topic and identity
    digest BLOB NOT NULL              -- 16 bytes that stand for the payload
) STRICT;

CREATE TABLE memory (                 -- what earlier payloads said that later ones need
    key TEXT PRIMARY KEY,
    content BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE description (            -- names and units of series, by messages about them
    client TEXT NOT NULL,
    metric TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (client, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE skew (                   -- how far clients' clocks are off
    client TEXT PRIMARY KEY,
    skew_us INTEGER NOT NULL,         -- median of time of receipt minus the client's own time
    samples INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Readings from before there was a ledger: what is there was stored.
INSERT INTO ledger
    SELECT client, (time_us + delay_us) - ((time_us + delay_us) % 3600000000), 0, 0, 0, 0, 0, 0, 0,
        count(*), count(*), 0, 0, 0, 0, 0, 0
    FROM reading JOIN series ON series.id = reading.series
    WHERE client NOT IN ('collector', 'broker')
    GROUP BY 1, 2;
