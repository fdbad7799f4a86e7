-- The tables behind accounts, jobs and what came of them.
--
-- A job's definition and its end stand in fliq.jobs.  That it waits is a row
-- of fliq.due, that it runs is its place in a row of fliq.claims: a job that
-- is not finished and has no row in fliq.due is running.  So the wide row is
-- written twice in its life (create, outcome) and claiming touches only the
-- narrow one.

CREATE TYPE fliq.plan AS ENUM ('unlimited', 'free', 'paid');
CREATE TYPE fliq.token_scope AS ENUM ('write', 'read');
CREATE TYPE fliq.job_status AS ENUM
    ('waiting', 'success', 'failed', 'cancelled');
CREATE TYPE fliq.backoff AS ENUM ('exponential', 'linear');
CREATE TYPE fliq.usage_kind AS ENUM ('job', 'buffer');

CREATE TABLE fliq.accounts (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    plan          fliq.plan NOT NULL DEFAULT 'unlimited',
    balance       bigint NOT NULL DEFAULT 0,
    daily_limit   integer CHECK (daily_limit >= 0),
    suspended_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE fliq.tokens (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL
                  REFERENCES fliq.accounts ON DELETE CASCADE,
    name          text NOT NULL DEFAULT '',
    prefix        text NOT NULL,
    hash          bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    scope         fliq.token_scope NOT NULL DEFAULT 'write',
    last_used_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);

CREATE INDEX tokens_by_account ON fliq.tokens (account_id, id);

CREATE TABLE fliq.signing_secrets (
    account_id  uuid PRIMARY KEY
                REFERENCES fliq.accounts ON DELETE CASCADE,
    secret      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);


-- No foreign key leads out of the tables below: its check would lock the
-- account's row once for each job.

CREATE TABLE fliq.jobs (
    account_id        uuid NOT NULL,
    id                uuid NOT NULL,
    status            fliq.job_status NOT NULL DEFAULT 'waiting',
    backoff           fliq.backoff NOT NULL DEFAULT 'exponential',
    max_retries       smallint NOT NULL,
    last_status_code  smallint,
    timeout_seconds   integer NOT NULL,
    attempts          integer NOT NULL DEFAULT 0,
    lane              integer NOT NULL,     -- the target host's number
    scheduled_at      timestamptz NOT NULL,
    due_at            timestamptz,          -- of the next attempt
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    started_at        timestamptz,
    completed_at      timestamptz,
    replay_of         uuid,
    schedule_id       uuid,
    method            text NOT NULL,
    url               text NOT NULL,
    headers           text,                 -- JSON, as it was sent
    body              bytea,
    idempotency_key   text,
    request_hash      bytea,                -- of a request that had a key
    webhook_url       text,
    webhook_headers   text,
    last_error        text,
    PRIMARY KEY (account_id, id)
);

-- A job is in exactly one of these.  They are partial, and not one index with
-- the status in it, so that no look-up by id is ever planned over them.
CREATE INDEX jobs_waiting ON fliq.jobs (account_id, id)
    WHERE status = 'waiting';
CREATE INDEX jobs_success ON fliq.jobs (account_id, id)
    WHERE status = 'success';
CREATE INDEX jobs_failed ON fliq.jobs (account_id, id)
    WHERE status = 'failed';
CREATE INDEX jobs_cancelled ON fliq.jobs (account_id, id)
    WHERE status = 'cancelled';
CREATE UNIQUE INDEX jobs_by_key ON fliq.jobs (account_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE fliq.due (
    account_id  uuid NOT NULL,
    job_id      uuid NOT NULL,
    due_at      timestamptz NOT NULL,
    lane        integer NOT NULL
);

-- An expression, so that only a claim uses it, never the look-up of one row:
-- any number of jobs may be due at one instant.
CREATE INDEX due_by_time ON fliq.due ((due_at AT TIME ZONE 'UTC'));
CREATE INDEX due_by_lane ON fliq.due (account_id, lane, due_at, job_id);

-- Rows of fliq.due live for a moment when it is busy: let vacuum follow.
ALTER TABLE fliq.due SET (
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE fliq.jobs SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 1
);


-- A dispatcher: one worker process.  It holds the session-level advisory lock
-- lock_key for as long as its session lives, and renews beat_at.

CREATE TABLE fliq.owners (
    id          uuid PRIMARY KEY,
    lock_key    bigint NOT NULL UNIQUE,
    node        text NOT NULL,
    pid         integer NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    beat_at     timestamptz NOT NULL DEFAULT now(),
    gone_at     timestamptz           -- first seen without its lock
) WITH (fillfactor = 50);

-- What one claim took: a row for the whole batch.  A claim whose owner is no
-- longer in fliq.owners is an orphan: its unfinished jobs become due again.

CREATE TABLE fliq.claims (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner_id     uuid NOT NULL,
    claimed_at   timestamptz NOT NULL DEFAULT now(),
    account_ids  uuid[] NOT NULL,
    job_ids      uuid[] NOT NULL,
    attempts     integer[] NOT NULL
);

CREATE INDEX claims_by_owner ON fliq.claims (owner_id);

ALTER TABLE fliq.claims SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);


-- One row for each attempt, in a partition for each week, so that retention
-- drops tables.  The default partition takes what no week was made for.

CREATE TABLE fliq.executions (
    id                uuid NOT NULL,
    account_id        uuid NOT NULL,
    job_id            uuid NOT NULL,
    owner_id          uuid NOT NULL,
    executed_at       timestamptz NOT NULL,
    duration_ms       integer NOT NULL,
    attempt_num       integer NOT NULL,
    status_code       smallint,
    success           boolean NOT NULL,
    error             text,
    response_excerpt  text
) PARTITION BY RANGE (executed_at);

CREATE INDEX executions_by_job ON fliq.executions (job_id, attempt_num);

CREATE TABLE fliq.executions_default PARTITION OF fliq.executions DEFAULT;


-- The numbers behind /stats.  shard spreads the upserts of an account's
-- dispatchers over several rows, so that they need not wait for each other's
-- commits; a reader sums over it.

CREATE TABLE fliq.usage_daily (
    account_id       uuid NOT NULL,
    day              date NOT NULL,
    kind             fliq.usage_kind NOT NULL,
    shard            smallint NOT NULL,
    executions       bigint NOT NULL,
    succeeded        bigint NOT NULL,
    failed           bigint NOT NULL,
    duration_ms_sum  bigint NOT NULL,
    PRIMARY KEY (account_id, day, kind, shard)
) WITH (fillfactor = 50);

CREATE TABLE fliq.usage_durations (
    account_id  uuid NOT NULL,
    day         date NOT NULL,
    kind        fliq.usage_kind NOT NULL,
    shard       smallint NOT NULL,
    bucket      smallint NOT NULL,    -- fliq_hist_bucket()
    count       bigint NOT NULL,
    PRIMARY KEY (account_id, day, kind, shard, bucket)
) WITH (fillfactor = 50);


-- What the API shows of a job.

CREATE VIEW fliq.job_records AS
    SELECT j.account_id, j.id,
           CASE WHEN j.status <> 'waiting' THEN j.status::text
                WHEN d.job_id IS NULL THEN 'running'
                WHEN j.replay_of IS NOT NULL AND j.attempts = 0 THEN 'pending'
                ELSE 'scheduled' END AS status,
           j.backoff::text AS backoff, j.max_retries, j.last_status_code,
           j.timeout_seconds, j.attempts, j.scheduled_at,
           d.due_at AS next_attempt_at, j.created_at, j.updated_at,
           CASE WHEN j.started_at IS NULL AND j.status = 'waiting'
                     AND d.job_id IS NULL
                THEN (SELECT min(c.claimed_at) FROM fliq.claims c
                       WHERE j.id = ANY (c.job_ids))
                ELSE j.started_at END AS started_at,
           j.completed_at, j.replay_of, j.schedule_id, j.method, j.url,
           j.headers, j.body, j.idempotency_key, j.request_hash,
           j.webhook_url, j.webhook_headers, j.last_error
      FROM fliq.jobs j
      LEFT JOIN LATERAL (
               SELECT due.job_id, due.due_at
                 FROM fliq.due
                WHERE due.account_id = j.account_id AND due.lane = j.lane
                  AND due.due_at = j.due_at AND due.job_id = j.id
                LIMIT 1) AS d ON true;
