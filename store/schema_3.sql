-- An MQTT session that outlives its connection (MQTT 3.1.1 §4.1): it ends with its row, and takes
-- along what belongs to it.
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

-- One table for all sessions, and not WITHOUT ROWID: new messages go to the end of it, so that many
-- in one transaction dirty few pages.
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

-- Of the numbers and the bytes; NULL: written before there was one.
ALTER TABLE page ADD COLUMN sum INTEGER;
