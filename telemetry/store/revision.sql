-- data/culex.db, version 8: readers know what has changed. Described for its users in data/README.md.

-- Readings that are newer than all before are no change: a reader asks for those anyway.
ALTER TABLE series ADD COLUMN revised INTEGER NOT NULL DEFAULT 0;  -- the sequence that changed it last
ALTER TABLE series ADD COLUMN revised_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN revised_from_us INTEGER NOT NULL
    DEFAULT -4611686018427387904;     -- what was older is as it was at sequence revised_since

INSERT INTO state SELECT 'revised', value FROM state WHERE key = 'sequence';  -- the same of all series
