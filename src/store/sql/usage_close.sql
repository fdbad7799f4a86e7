-- Move some of an account's rows of usage_durations for days before
-- yesterday into usage_history: a row for each of these days, and every row
-- of a later day grows, too, should there be any.  The accounts have their
-- turns, at most 1,000 are looked at.  Of usage_daily's rows for the same
-- days one of shard -1 is made, which nobody else writes to.
-- out: one row: moved int8
-- Totals are made from totals, so nobody may work on what another has changed
-- since: who gets the turn's row must find in it what his snapshot shows.
-- Rows that are locked, because an outcome is being counted, stay for later.
-- locks: the turn (a locked one is skipped), the rows that go
WITH RECURSIVE turn AS MATERIALIZED (
    SELECT account_id, runs
      FROM fliq.usage_turn
       FOR UPDATE SKIP LOCKED
), mine AS MATERIALIZED (
    SELECT account_id, (now() AT TIME ZONE 'UTC')::date - 1 AS yesterday
      FROM turn
     WHERE runs = (SELECT runs FROM fliq.usage_turn)
), walk AS (
    SELECT m.account_id AS behind, d.account_id, d.day, m.yesterday, 1 AS n
      FROM mine m
     CROSS JOIN LATERAL (
               SELECT account_id, day
                 FROM fliq.usage_durations
                WHERE usage_durations.account_id > m.account_id
                ORDER BY account_id, day
                LIMIT 1) AS d
     UNION ALL
    SELECT w.account_id, d.account_id, d.day, w.yesterday, w.n + 1
      FROM walk w
     CROSS JOIN LATERAL (
               SELECT account_id, day
                 FROM fliq.usage_durations
                WHERE usage_durations.account_id > w.account_id
                ORDER BY account_id, day
                LIMIT 1) AS d
     WHERE w.day >= w.yesterday AND w.n < 1000
), last AS MATERIALIZED (
    SELECT * FROM walk ORDER BY n DESC LIMIT 1
), moved AS (
    DELETE FROM fliq.usage_durations
     WHERE ctid = ANY (ARRAY(
               SELECT d.ctid
                 FROM last l
                CROSS JOIN LATERAL (
                          SELECT usage_durations.ctid
                            FROM fliq.usage_durations
                           WHERE usage_durations.account_id = l.account_id
                             AND usage_durations.day < l.yesterday
                           ORDER BY account_id, day, kind, shard, bucket
                           LIMIT 1000
                             FOR UPDATE SKIP LOCKED) AS d))
 RETURNING account_id, kind, day, bucket, count
), added AS MATERIALIZED (
    SELECT account_id, kind, day, bucket, sum(count) AS count
      FROM moved
     GROUP BY account_id, kind, day, bucket
), daily AS (
    DELETE FROM fliq.usage_daily
     WHERE ctid = ANY (ARRAY(
               SELECT u.ctid
                 FROM (SELECT DISTINCT account_id, kind, day FROM added) AS a
                CROSS JOIN LATERAL (
                          SELECT usage_daily.ctid
                            FROM fliq.usage_daily
                           WHERE usage_daily.account_id = a.account_id
                             AND usage_daily.day = a.day
                             AND usage_daily.kind = a.kind
                             AND usage_daily.shard >= 0
                           LIMIT 1000
                             FOR UPDATE SKIP LOCKED) AS u))
 RETURNING account_id, kind, day, executions, succeeded, failed,
           duration_ms_sum
), merged AS (
    INSERT INTO fliq.usage_daily AS u
           (account_id, day, kind, shard, executions, succeeded, failed,
            duration_ms_sum)
    SELECT account_id, day, kind, -1, sum(executions), sum(succeeded),
           sum(failed), sum(duration_ms_sum)
      FROM daily
     GROUP BY account_id, day, kind
        ON CONFLICT (account_id, day, kind, shard) DO UPDATE
       SET executions = u.executions + excluded.executions,
           succeeded = u.succeeded + excluded.succeeded,
           failed = u.failed + excluded.failed,
           duration_ms_sum = u.duration_ms_sum + excluded.duration_ms_sum
), days AS (
    SELECT account_id, kind, day FROM added
     UNION
    SELECT h.account_id, h.kind, h.day
      FROM (SELECT account_id, kind, min(day) AS day
              FROM added
             GROUP BY account_id, kind) AS a
     CROSS JOIN LATERAL (
               SELECT account_id, kind, day
                 FROM fliq.usage_history
                WHERE usage_history.account_id = a.account_id
                  AND usage_history.kind = a.kind
                  AND usage_history.day > a.day
                LIMIT 100000) AS h
), closed AS (
    INSERT INTO fliq.usage_history (account_id, kind, day, buckets, totals)
    SELECT d.account_id, d.kind, d.day, t.buckets, t.totals
      FROM days d
     CROSS JOIN LATERAL (
               SELECT array_agg(bucket ORDER BY bucket) AS buckets,
                      array_agg(total ORDER BY bucket) AS totals
                 FROM (SELECT bucket, sum(count)::int8 AS total
                         FROM (SELECT bucket, count
                                 FROM added
                                WHERE added.kind = d.kind
                                  AND added.day <= d.day
                                UNION ALL
                               SELECT u.bucket, u.count
                                 FROM (SELECT buckets, totals
                                         FROM fliq.usage_history
                                        WHERE account_id = d.account_id
                                          AND kind = d.kind
                                          AND day <= d.day
                                        ORDER BY day DESC
                                        LIMIT 1) AS h
                                CROSS JOIN unnest(h.buckets, h.totals)
                                           AS u (bucket, count)) AS counted
                        GROUP BY bucket) AS summed) AS t
        ON CONFLICT (account_id, kind, day) DO UPDATE
       SET buckets = excluded.buckets, totals = excluded.totals
), next AS (
    UPDATE fliq.usage_turn
       SET runs = runs + 1,
           account_id = coalesce(
               (SELECT CASE WHEN EXISTS (SELECT FROM moved) THEN behind
                            WHEN n = 1000 OR day < yesterday THEN account_id
                       END
                  FROM last),
               '00000000-0000-0000-0000-000000000000')
     WHERE EXISTS (SELECT FROM mine)
)
SELECT count(*) AS moved FROM moved
