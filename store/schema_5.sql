-- Devices that go with the next reset, and snapshots. What a device is reset to is now known of
-- each: how the fixtures have it, or how it was made.
ALTER TABLE device ADD COLUMN temporary INTEGER NOT NULL DEFAULT 0;
UPDATE device SET seed_secret = secret, seed_asset_id = asset_id, seed_fingerprint = fingerprint,
                  seed_enabled = enabled
WHERE seed_secret IS NULL AND deleted = 0;

-- The state of everything, or of one product, at some moment. The tables below hold copies of the
-- rows of those without "snapshot_" in their names, all columns but `deleted`.
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    product TEXT NOT NULL, -- "cloud/key"; empty: everything
    created_ms INTEGER NOT NULL,
    now_ms INTEGER NOT NULL, -- virtual time
    lived_ms INTEGER NOT NULL, -- to what messages and absences refer
    frozen INTEGER NOT NULL,
    devices INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    faults BLOB NOT NULL
);
CREATE UNIQUE INDEX snapshot_by_name ON snapshot (name, product);

CREATE TABLE snapshot_product (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    cloud TEXT NOT NULL,
    key TEXT NOT NULL,
    secret TEXT NOT NULL,
    dynamic_activation INTEGER NOT NULL,
    require_certificate INTEGER NOT NULL,
    https_auth INTEGER NOT NULL,
    rules TEXT NOT NULL,
    node INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, id)
) WITHOUT ROWID;

CREATE TABLE snapshot_product_topic (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    pattern TEXT NOT NULL,
    pub INTEGER NOT NULL,
    sub INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, product_id, place)
) WITHOUT ROWID;

CREATE TABLE snapshot_product_document (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    seed BLOB,
    PRIMARY KEY (snapshot_id, product_id, name)
);

CREATE TABLE snapshot_device (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    secret_issued INTEGER NOT NULL,
    seed_secret TEXT,
    seed_asset_id TEXT,
    seed_fingerprint TEXT,
    seed_enabled INTEGER,
    PRIMARY KEY (snapshot_id, id)
) WITHOUT ROWID;

CREATE TABLE snapshot_document (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    device_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, device_id, name)
);

CREATE TABLE snapshot_token (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    device_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, device_id, place)
) WITHOUT ROWID;

CREATE TABLE snapshot_topology (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    gateway_id INTEGER NOT NULL,
    device_id INTEGER NOT NULL,
    bound INTEGER NOT NULL,
    seeded INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, gateway_id, device_id)
) WITHOUT ROWID;

-- What a device subscribed to and what waits for it, as whoever delivers writes it: the tables of
-- sessions have only those that outlive the process.
CREATE TABLE snapshot_session (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    device_id INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (snapshot_id, device_id)
);
