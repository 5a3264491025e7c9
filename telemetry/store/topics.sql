-- data/culex.db, version 7: topics. Described for its users in data/README.md.

CREATE TABLE topic (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order in which they were first heard
    topic TEXT NOT NULL UNIQUE,       -- a long one is cut and ends in a digest
    client TEXT NOT NULL,             -- '' if no template names one
    metrics TEXT NOT NULL,            -- JSON: of the last message with readings
    outcome TEXT NOT NULL,            -- telemetry.ledger.Outcome, of the last message
    reason TEXT NOT NULL,             -- '' if all of it could be read
    size INTEGER NOT NULL,            -- bytes of its payload as it arrived
    qos INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    minute_us INTEGER NOT NULL,       -- the minute in which the last message arrived
    minute_messages INTEGER NOT NULL, -- how many arrived in it
    minute_before INTEGER NOT NULL,   -- and in the one before
    payload BLOB NOT NULL             -- the beginning; last, so as not to be read
) STRICT;
