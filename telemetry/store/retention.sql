-- data/culex.db, version 6: what is over goes. Described for its users in data/README.md.

ALTER TABLE series ADD COLUMN readings_from_us INTEGER NOT NULL
    DEFAULT -4611686018427387904;     -- what was measured before is over: rollups are left of it

ALTER TABLE ledger ADD COLUMN expired INTEGER NOT NULL
    DEFAULT 0;                        -- of readings_stored, kept as long as they should be
