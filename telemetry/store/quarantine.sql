-- data/culex.db, version 4: quarantine and descriptions within bounds. Described in data/README.md.

ALTER TABLE quarantine RENAME TO quarantine_before;
DROP INDEX quarantine_by_topic;
DROP INDEX quarantine_counted;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,             -- with hour_us: where the ledger counts it
    hour_us INTEGER NOT NULL,
    first_us INTEGER NOT NULL,        -- when it arrived
    last_us INTEGER NOT NULL,         -- the same, or of several that are only counted the last
    topic TEXT NOT NULL,              -- '' where it is only counted
    size INTEGER NOT NULL,            -- bytes of the payload as it arrived
    whole INTEGER NOT NULL,           -- 1 if topic and payload are kept as they arrived
    reason TEXT NOT NULL,
    metric TEXT NOT NULL,
    facts TEXT NOT NULL,              -- what else its publisher said: JSON
    count INTEGER NOT NULL,           -- messages
    messages_quarantined INTEGER NOT NULL,
    messages_held INTEGER NOT NULL,
    readings_quarantined INTEGER NOT NULL,
    readings_held INTEGER NOT NULL,
    readings_retained INTEGER NOT NULL,
    readings_limited INTEGER NOT NULL,
    readings_good INTEGER NOT NULL,   -- stored or duplicate: these stay counted
    payload BLOB                      -- NULL where it is only counted; last, so as not to be read
) STRICT;
CREATE INDEX quarantine_by_topic ON quarantine (topic, reason);
CREATE UNIQUE INDEX quarantine_counted ON quarantine (client, hour_us, reason) WHERE payload IS NULL;
INSERT INTO quarantine SELECT id, client, hour_us, first_us, last_us, topic, size,
    coalesce(length(payload) = size, 0), reason, metric, facts, count, messages_quarantined,
    messages_held, readings_quarantined, readings_held, 0, 0, 0, payload FROM quarantine_before;
DROP TABLE quarantine_before;

ALTER TABLE description RENAME TO description_before;
CREATE TABLE description (            -- names and units of series, by messages about them
    position INTEGER PRIMARY KEY,     -- in order of arrival, so that the oldest can go
    client TEXT NOT NULL,
    metric TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    UNIQUE (client, metric)
) STRICT;
INSERT INTO description (client, metric, name, unit) SELECT * FROM description_before;
DROP TABLE description_before;

DELETE FROM memory WHERE length(content) = 0;
