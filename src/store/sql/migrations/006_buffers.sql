-- Buffers: ordered streams to one target each.
--
-- fliq.buffers is what the user set.  Where the stream stands are two narrow
-- rows: fliq.buffer_tails, locked by each push until its commit, so that
-- sequence numbers are given in commit order; and fliq.buffer_heads, which
-- one dispatcher at a time has.  The two meet only where the buffer is empty,
-- so that neither waits for the other: an outcome that finds no item behind
-- its own locks the tail to say so (idle), and the push that finds it idle
-- wakes the head.  Whoever locks both locks the tail first.

CREATE TYPE fliq.item_status AS ENUM ('pending', 'completed', 'failed');

CREATE TABLE fliq.buffers (
    account_id       uuid NOT NULL,
    id               uuid NOT NULL,
    name             text NOT NULL,
    backoff          fliq.backoff NOT NULL DEFAULT 'exponential',
    max_retries      smallint NOT NULL,
    timeout_seconds  integer NOT NULL,
    rate_limit       integer NOT NULL,
    lane             integer NOT NULL,
    webhook_lane     integer,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    method           text NOT NULL,
    url              text NOT NULL,
    headers          text,
    webhook_url      text,
    webhook_headers  text,
    PRIMARY KEY (account_id, id)
);

-- An expression, so that no look-up by id is planned over it.
CREATE UNIQUE INDEX buffers_by_name
    ON fliq.buffers ((account_id::text || name));

CREATE TABLE fliq.buffer_tails (
    buffer_id   uuid PRIMARY KEY,
    account_id  uuid NOT NULL,
    next_seq    bigint NOT NULL DEFAULT 0,
    idle        boolean NOT NULL DEFAULT true,
    deleted     boolean NOT NULL DEFAULT false  -- its items are yet to go
) WITH (fillfactor = 50);

CREATE INDEX buffer_tails_deleted ON fliq.buffer_tails (buffer_id)
    WHERE deleted;

CREATE TABLE fliq.buffer_heads (
    buffer_id   uuid PRIMARY KEY,
    account_id  uuid NOT NULL,
    lane        integer NOT NULL,
    paused      boolean NOT NULL DEFAULT false,
    due_at      timestamptz,            -- NULL: empty, or in flight
    free_at     timestamptz,            -- the rate allows no request before
    owner_id    uuid,                   -- the dispatcher that has it,
    item_id     uuid,                   -- the item in its hands
    attempt     integer,                -- and which request of it that is
    first_seq   bigint NOT NULL DEFAULT 0,  -- no item before it is pending
    completed   bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    pace        bytea                   -- the last requests: fliq_pace.h
) WITH (fillfactor = 50);

CREATE INDEX buffer_heads_by_time
    ON fliq.buffer_heads ((due_at AT TIME ZONE 'UTC'))
    WHERE due_at IS NOT NULL AND NOT paused;
CREATE INDEX buffer_heads_by_owner ON fliq.buffer_heads (owner_id)
    WHERE owner_id IS NOT NULL;

CREATE TABLE fliq.buffer_items (
    buffer_id        uuid NOT NULL,
    id               uuid NOT NULL,
    account_id       uuid NOT NULL,
    seq              bigint NOT NULL,
    status           fliq.item_status NOT NULL DEFAULT 'pending',
    status_code      smallint,
    attempts         integer NOT NULL DEFAULT 0,
    retry_count      integer NOT NULL DEFAULT 0,
    throttled_at     timestamptz,       -- the first 429 in a row of them
    created_at       timestamptz NOT NULL DEFAULT now(),
    completed_at     timestamptz,
    replay_of        uuid,
    headers          text,              -- the item's own, as they were sent
    body             bytea,
    idempotency_key  text,
    last_error       text,
    PRIMARY KEY (buffer_id, id)
);

-- The order of delivery, which need not be that of the ids.
CREATE INDEX buffer_items_queue ON fliq.buffer_items (buffer_id, seq)
    WHERE status = 'pending';

-- Each item is in one of these; as with jobs, no look-up uses them.
CREATE INDEX buffer_items_pending ON fliq.buffer_items (buffer_id, id)
    WHERE status = 'pending';
CREATE INDEX buffer_items_completed ON fliq.buffer_items (buffer_id, id)
    WHERE status = 'completed';
CREATE INDEX buffer_items_failed ON fliq.buffer_items (buffer_id, id)
    WHERE status = 'failed';
CREATE UNIQUE INDEX buffer_items_by_key
    ON fliq.buffer_items (buffer_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

ALTER TABLE fliq.buffer_tails SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE fliq.buffer_heads SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE fliq.buffer_items SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 1
);

-- What the API shows of an item.
CREATE VIEW fliq.item_records AS
    SELECT i.account_id, i.id, i.buffer_id,
           CASE WHEN i.status <> 'pending' THEN i.status::text
                WHEN h.item_id = i.id THEN 'running'
                ELSE 'pending' END AS status,
           i.status_code, i.attempts, i.retry_count, i.created_at,
           i.completed_at, i.replay_of, i.headers, i.body, i.idempotency_key,
           i.last_error
      FROM fliq.buffer_items i
      LEFT JOIN LATERAL (
               SELECT item_id FROM fliq.buffer_heads
                WHERE buffer_heads.buffer_id = i.buffer_id
                LIMIT 1) AS h ON true;
