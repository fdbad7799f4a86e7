-- Cron schedules.  What a run needs is copied into the job that it spawns.

CREATE TABLE fliq.schedules (
    account_id       uuid NOT NULL,
    id               uuid NOT NULL,
    name             text NOT NULL DEFAULT '',
    cron             text NOT NULL,
    paused           boolean NOT NULL DEFAULT false,
    backoff          fliq.backoff NOT NULL DEFAULT 'exponential',
    max_retries      smallint NOT NULL,
    timeout_seconds  integer NOT NULL,
    lane             integer NOT NULL,
    next_run_at      timestamptz,         -- NULL: paused, or no run is left
    last_run_at      timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    method           text NOT NULL,
    url              text NOT NULL,
    headers          text,
    body             bytea,
    webhook_url      text,
    webhook_headers  text,
    PRIMARY KEY (account_id, id)
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX schedules_by_name ON fliq.schedules (account_id, name)
    WHERE name <> '';

-- An expression, as on fliq.due: for the tick alone.
CREATE INDEX schedules_by_time
    ON fliq.schedules ((next_run_at AT TIME ZONE 'UTC'))
    WHERE next_run_at IS NOT NULL;

CREATE INDEX jobs_by_schedule ON fliq.jobs (schedule_id, id)
    WHERE schedule_id IS NOT NULL;
