-- Gateways and the devices behind them, what a product has besides devices, and firmware.
ALTER TABLE product ADD COLUMN node INTEGER NOT NULL DEFAULT 0; -- enum sky_node

-- Texts of a product: its remote configuration, its thing model, ... As for devices, `seed` is what
-- the fixtures said when they were last loaded; NULL: they did not name it.
CREATE TABLE product_document (
    product_id INTEGER NOT NULL REFERENCES product (id),
    name TEXT NOT NULL,
    body BLOB NOT NULL, -- empty: taken away
    version INTEGER NOT NULL,
    seed BLOB,
    PRIMARY KEY (product_id, name)
);

-- Which devices are bound to which gateway, in the order in which they were. A binding that the
-- fixtures made stays as a row when it ends: a reset makes it again.
CREATE TABLE topology (
    id INTEGER PRIMARY KEY,
    gateway_id INTEGER NOT NULL,
    device_id INTEGER NOT NULL,
    bound INTEGER NOT NULL,
    seeded INTEGER NOT NULL
);
CREATE UNIQUE INDEX topology_by_gateway ON topology (gateway_id, device_id);
CREATE INDEX topology_by_device ON topology (device_id);

-- Firmware: bytes in pieces, or made up from `pattern` when it is not 0.
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
