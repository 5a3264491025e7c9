-- access.db, version 1: who may speak (client) and who may look (user, token).
CREATE TABLE client (
    name TEXT PRIMARY KEY,
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    password_hash TEXT NOT NULL,  -- PBKDF2-SHA512, base64, as the broker's plugin checks it
    salt TEXT NOT NULL,
    iterations INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) WITHOUT ROWID;

CREATE TABLE user (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_us INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE token (
    name TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,  -- SHA-256 of the token, which is kept nowhere
    role TEXT NOT NULL,
    created_us INTEGER NOT NULL
) WITHOUT ROWID;
