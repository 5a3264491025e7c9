-- access.db, version 2: what people know of a client beside what it sends; it need not be in client.
CREATE TABLE detail (
    client TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    mac_address TEXT NOT NULL,  -- as in 00:1b:44:11:3a:b7, or empty
    tags TEXT NOT NULL,         -- a JSON list of texts
    notes TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    changed_by TEXT NOT NULL    -- the user who changed it last
) WITHOUT ROWID;
