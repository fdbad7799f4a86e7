-- A year of statistics, as some dispatchers would have left them, had none
-- closed a day: they do so now.
-- in: account
INSERT INTO fliq.usage_daily
       (account_id, day, kind, shard, executions, succeeded, failed,
        duration_ms_sum)
SELECT :'account', (now() AT TIME ZONE 'UTC')::date - d, 'job', shard,
       1000, 990, 10, 12000
  FROM generate_series(1, 364) AS d, generate_series(0, 3) AS shard;

INSERT INTO fliq.usage_durations
       (account_id, day, kind, shard, bucket, count)
SELECT :'account', (now() AT TIME ZONE 'UTC')::date - d, 'job', shard,
       bucket, 10
  FROM generate_series(1, 364) AS d, generate_series(0, 3) AS shard,
       generate_series(1, 100) AS bucket;
