-- The journal: items with what is wanted of them, every attempt, every run.
-- Moments are Unix milliseconds, digests the 32 bytes of a SHA-256, states 0 pending, 1 sending, 2 done, 3 failed.
-- Other programs read the three views at the end; the tables may change.

CREATE TABLE journal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    api_url TEXT NOT NULL,              -- the one address whose items these are, or the word sandbox
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    user_id TEXT UNIQUE,                -- X's id; completed when it becomes known, never replaced
    handle TEXT,
    profile TEXT UNIQUE
) STRICT;

INSERT INTO accounts (id) VALUES (1);

CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,                 -- the manifest's path as it was given
    form TEXT NOT NULL,                 -- its form, delimiter, mark and columns, as JSON
    UNIQUE (name, form)
) STRICT;

CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    media_id TEXT NOT NULL,
    wanted TEXT NOT NULL,               -- the metadata that it shall have, as written, as JSON
    digest BLOB NOT NULL,               -- of what is wanted
    accepted BLOB,                      -- the digest of what X accepted last
    accepted_at INTEGER,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,        -- answered failures of this digest in this run
    passing_runs INTEGER NOT NULL DEFAULT 0,    -- runs in which this digest failed for a passing cause
    not_before INTEGER,                 -- a retry is a row with a later due time
    http_status INTEGER,
    cause TEXT,
    detail TEXT,
    dismissed INTEGER NOT NULL DEFAULT 0,
    source_id INTEGER NOT NULL REFERENCES sources (id),
    line INTEGER NOT NULL,
    carried TEXT,                       -- cells of the row last taken in that its metadata does not tell, as JSON
    first_seen INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    UNIQUE (account_id, media_id)
) STRICT;

-- Partial indices: what is due, waits or failed is found without a look at what is done.
CREATE INDEX items_due ON items (account_id) WHERE state IN (0, 1);
CREATE INDEX items_failed ON items (account_id) WHERE state = 3;
CREATE INDEX items_waiting ON items (not_before) WHERE not_before IS NOT NULL;

-- What was wanted of an item and has been sent, when something else came to be wanted of it.
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES items (id),
    metadata TEXT NOT NULL,
    digest BLOB NOT NULL,
    accepted_at INTEGER,                -- NULL: it may have been sent, and its outcome is not known
    replaced INTEGER NOT NULL
) STRICT;

CREATE INDEX history_item ON history (item_id);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    started INTEGER NOT NULL,
    ended INTEGER,
    exit_code INTEGER,
    exit_reason TEXT,
    sources TEXT NOT NULL,              -- the names of its manifests, as a JSON array
    requests INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,   -- requests that X may charge for
    price REAL NOT NULL,                -- dollars for each
    timeout INTEGER NOT NULL,           -- milliseconds a request of it could take
    version TEXT NOT NULL
) STRICT;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,             -- in the order of their starts
    item_id INTEGER NOT NULL REFERENCES items (id),
    run_id INTEGER NOT NULL REFERENCES runs (id),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,               -- of what was sent
    started INTEGER NOT NULL,
    ended INTEGER,                      -- NULL: the outcome is not known
    http_status INTEGER,
    cause TEXT,
    detail TEXT,
    spent INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX attempts_item ON attempts (item_id);
CREATE INDEX attempts_open ON attempts (item_id) WHERE ended IS NULL;

-- What the server's headers told last, by our clock.
CREATE TABLE windows (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    kind INTEGER NOT NULL,
    capacity INTEGER,
    remaining INTEGER NOT NULL,
    reset INTEGER NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind)
) STRICT;

CREATE VIEW item_outcomes AS
SELECT
    coalesce(a.handle, a.profile, a.user_id, 'default') AS account,
    i.media_id,
    CASE i.state WHEN 0 THEN 'pending' WHEN 1 THEN 'sending' WHEN 2 THEN 'done' ELSE 'failed' END AS state,
    i.attempts,
    i.http_status,
    i.cause,
    i.detail,
    i.dismissed,
    s.name AS source,
    i.line,
    lower(hex(i.digest)) AS digest,
    strftime('%Y-%m-%dT%H:%M:%S', i.first_seen / 1000, 'unixepoch') || printf('.%03dZ', i.first_seen % 1000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', i.updated / 1000, 'unixepoch') || printf('.%03dZ', i.updated % 1000) AS updated
FROM items AS i
JOIN accounts AS a ON a.id = i.account_id
JOIN sources AS s ON s.id = i.source_id;

CREATE VIEW attempt_log AS
SELECT
    coalesce(a.handle, a.profile, a.user_id, 'default') AS account,
    i.media_id,
    t.number,
    t.run_id,
    strftime('%Y-%m-%dT%H:%M:%S', t.started / 1000, 'unixepoch') || printf('.%03dZ', t.started % 1000) AS started,
    strftime('%Y-%m-%dT%H:%M:%S', t.ended / 1000, 'unixepoch') || printf('.%03dZ', t.ended % 1000) AS ended,
    t.http_status,
    t.cause,
    t.detail,
    lower(hex(t.digest)) AS digest
FROM attempts AS t
JOIN items AS i ON i.id = t.item_id
JOIN accounts AS a ON a.id = i.account_id;

CREATE VIEW run_log AS
SELECT
    r.id AS run_id,
    coalesce(a.handle, a.profile, a.user_id, 'default') AS account,
    strftime('%Y-%m-%dT%H:%M:%S', r.started / 1000, 'unixepoch') || printf('.%03dZ', r.started % 1000) AS started,
    strftime('%Y-%m-%dT%H:%M:%S', r.ended / 1000, 'unixepoch') || printf('.%03dZ', r.ended % 1000) AS ended,
    r.exit_code,
    r.exit_reason,
    r.sources,
    r.requests,
    r.done,
    r.failed,
    round(r.spent * r.price, 6) AS cost_usd,
    r.version
FROM runs AS r
JOIN accounts AS a ON a.id = r.account_id;
