-- data/culex.db, version 5: the history behind the head. Described for its users in data/README.md.

ALTER TABLE series ADD COLUMN oldest_us INTEGER NOT NULL DEFAULT 0;  -- no reading is older
UPDATE series SET oldest_us = coalesce(
    (SELECT min(time_us) FROM reading WHERE series = series.id), newest_us);

CREATE TABLE block (                  -- a file is part of the store if and only if it has a row here
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tier TEXT NOT NULL,               -- readings, rollup_1m or rollup_1h
    path TEXT NOT NULL UNIQUE,        -- below data/blocks
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    first_us INTEGER NOT NULL,        -- the oldest time in it
    last_us INTEGER NOT NULL,         -- the newest
    schema INTEGER NOT NULL,
    part INTEGER NOT NULL,            -- blocks with the same number were made from the same readings
    through TEXT,                     -- NULL, or a JSON array: it is visible up to this series
    damage TEXT NOT NULL DEFAULT ''   -- why it cannot be read, or empty
) STRICT;

CREATE INDEX block_by_time ON block (tier, last_us, first_us);
CREATE INDEX block_unfinished ON block (part) WHERE through IS NOT NULL;

CREATE TABLE dense (                  -- hours of which a series has minutes
    client TEXT NOT NULL,
    metric TEXT NOT NULL,
    day_us INTEGER NOT NULL,
    hours INTEGER NOT NULL,           -- one bit for each hour of the day, the lowest for the first
    PRIMARY KEY (client, metric, day_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE dropped (                -- files that are no part any more; a reader may still have them open
    path TEXT PRIMARY KEY,
    dropped_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
