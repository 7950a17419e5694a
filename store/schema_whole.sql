-- What the steps (schema.sql, schema_2.sql, ...) come to, for a file that is new: the same tables in
-- the same words, as SQLite keeps them, made at once. A test holds the two together.

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
, node INTEGER NOT NULL DEFAULT 0);
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
, temporary INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX device_by_key ON device (product_id, key) WHERE deleted = 0;
CREATE INDEX device_by_fingerprint ON device (fingerprint) WHERE deleted = 0 AND fingerprint <> '';

CREATE TABLE document (
    device_id INTEGER NOT NULL REFERENCES device (id),
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (device_id, name)
);

CREATE TABLE page (
    last_seq INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    bytes BLOB NOT NULL
, sum INTEGER);

CREATE TABLE note (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE token (
    device_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX token_by_id ON token (id);

CREATE TABLE session (
    device_id INTEGER PRIMARY KEY,
    away_since_ms INTEGER NOT NULL, -- 0: connected
    last_id INTEGER NOT NULL
);

CREATE TABLE subscription (
    device_id INTEGER NOT NULL REFERENCES session (device_id) ON DELETE CASCADE,
    filter TEXT NOT NULL,
    qos INTEGER NOT NULL,
    PRIMARY KEY (device_id, filter)
) WITHOUT ROWID;

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES session (device_id) ON DELETE CASCADE,
    packet_id INTEGER NOT NULL, -- 0: never sent
    born_ms INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX message_by_device ON message (device_id);

CREATE TABLE product_document (
    product_id INTEGER NOT NULL REFERENCES product (id),
    name TEXT NOT NULL,
    body BLOB NOT NULL, -- empty: taken away
    version INTEGER NOT NULL,
    seed BLOB,
    PRIMARY KEY (product_id, name)
);

CREATE TABLE topology (
    id INTEGER PRIMARY KEY,
    gateway_id INTEGER NOT NULL,
    device_id INTEGER NOT NULL,
    bound INTEGER NOT NULL,
    seeded INTEGER NOT NULL
);
CREATE UNIQUE INDEX topology_by_gateway ON topology (gateway_id, device_id);
CREATE INDEX topology_by_device ON topology (device_id);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE, -- of the file in URLs
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    pattern INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
);

CREATE TABLE image_piece (
    image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (image_id, place)
);

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

CREATE TABLE snapshot_session (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    device_id INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (snapshot_id, device_id)
);
