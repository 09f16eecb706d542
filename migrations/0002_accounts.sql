-- Profiles by which accounts were run, and what look-ups of users cost.

-- One account may have been run by several names of profiles; a name is one account's.
CREATE TABLE profiles (
    name TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id)
) STRICT;

ALTER TABLE runs ADD COLUMN lookups REAL NOT NULL DEFAULT 0;  -- dollars for requests that were for no item

DROP VIEW run_log;

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
    round(r.spent * r.price + r.lookups, 6) AS cost_usd,
    r.version
FROM runs AS r
JOIN accounts AS a ON a.id = r.account_id;
