-- The registry and everything else that outlives a run. Version 1.
-- Products and devices are never taken out, only marked as deleted: whatever was recorded about
-- them keeps its name, and no id is given twice. Uniqueness holds among the living.

CREATE TABLE product (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cloud TEXT NOT NULL,
    key TEXT NOT NULL,
    secret TEXT NOT NULL,
    dynamic_activation INTEGER NOT NULL,
    require_certificate INTEGER NOT NULL,
    https_auth INTEGER NOT NULL,
    rules TEXT NOT NULL DEFAULT '', -- lines "ID=action"
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX product_by_key ON product (cloud, key) WHERE deleted = 0;

CREATE TABLE product_topic (
    product_id INTEGER NOT NULL REFERENCES product (id),
    place INTEGER NOT NULL,
    pattern TEXT NOT NULL,
    pub INTEGER NOT NULL,
    sub INTEGER NOT NULL,
    PRIMARY KEY (product_id, place)
) WITHOUT ROWID;

CREATE TABLE device (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL REFERENCES product (id),
    key TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    secret_issued INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    -- What the fixtures said when they were last loaded; NULL when they never named this device.
    -- A later load changes only what differs from this, and a reset goes back to it.
    seed_secret TEXT,
    seed_asset_id TEXT,
    seed_fingerprint TEXT,
    seed_enabled INTEGER
);
CREATE UNIQUE INDEX device_by_key ON device (product_id, key) WHERE deleted = 0;
CREATE INDEX device_by_fingerprint ON device (fingerprint) WHERE deleted = 0 AND fingerprint <> '';

CREATE TABLE document (
    device_id INTEGER NOT NULL REFERENCES device (id),
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (device_id, name)
);

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    device_id INTEGER NOT NULL REFERENCES device (id),
    expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX token_by_device ON token (device_id);
CREATE INDEX token_by_expiry ON token (expires_ms);

-- Keyed by its last number: the first page with last_seq >= n holds n, or is the next one after it.
CREATE TABLE page (
    last_seq INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    bytes BLOB NOT NULL
);

CREATE TABLE note (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
