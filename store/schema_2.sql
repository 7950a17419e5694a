-- A device's tokens have places, and a new one takes the place of the oldest: nothing has to be
-- looked for, and nothing that has expired has to be dropped, to keep their number bounded.
ALTER TABLE token RENAME TO old_token;

CREATE TABLE token (
    device_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX token_by_id ON token (id);

INSERT INTO token (device_id, place, id, token, expires_ms)
SELECT device_id, row_number() OVER (PARTITION BY device_id ORDER BY expires_ms) - 1, id, token,
       expires_ms
FROM old_token;

DROP TABLE old_token;
