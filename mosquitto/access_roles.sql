-- access.db, version 3: roles, grants, sessions, refused logins, tokens that expire, and the audit log.
ALTER TABLE client ADD COLUMN role TEXT NOT NULL DEFAULT 'publisher' CHECK (role IN ('publisher', 'reader'));
-- Clients of earlier versions keep the identifiers they chose themselves.
ALTER TABLE client ADD COLUMN bound INTEGER NOT NULL DEFAULT 0 CHECK (bound IN (0, 1));
ALTER TABLE client ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE client ADD COLUMN credential_us INTEGER NOT NULL DEFAULT 0;
UPDATE client SET credential_us = created_us;

ALTER TABLE user ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1));
ALTER TABLE user ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN credential_us INTEGER NOT NULL DEFAULT 0;
UPDATE user SET credential_us = created_us;

ALTER TABLE token ADD COLUMN scope TEXT NOT NULL DEFAULT 'read' CHECK (scope IN ('read', 'metrics'));
-- Null: never.
ALTER TABLE token ADD COLUMN expires_us INTEGER;
ALTER TABLE token ADD COLUMN created_by TEXT NOT NULL DEFAULT '';

-- Whose charts a user or token may see; without any, everybody's.
CREATE TABLE seen (
    holder TEXT NOT NULL CHECK (holder IN ('user', 'token')),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('client', 'tag')),
    value TEXT NOT NULL,
    PRIMARY KEY (holder, name, kind, value)
) WITHOUT ROWID;

CREATE TABLE session (
    digest BLOB PRIMARY KEY,  -- SHA-256 of what the cookie holds
    user TEXT NOT NULL,
    begun_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_of ON session (user);

CREATE TABLE attempt (key TEXT NOT NULL, time_us INTEGER NOT NULL);
CREATE INDEX attempt_of ON attempt (key, time_us);
CREATE INDEX attempt_at ON attempt (time_us);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    facts TEXT NOT NULL  -- a JSON object of texts
);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_grows BEFORE INSERT ON audit WHEN NEW.id <> -1 BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
