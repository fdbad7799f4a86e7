-- Pause a schedule, or set it going again from a time.
-- in:  $1 uuid account_id, $2 uuid id, $3 timestamptz next_run_at, NULL to
--      pause, $4 text the cron expression that it was computed from
-- out: one row: changed boolean; no row when there is none such.  A schedule
--      that is so already stays as it is.
WITH found AS (
    SELECT paused, cron
      FROM fliq.schedules
     WHERE account_id = $1::uuid AND id = $2::uuid
       FOR UPDATE
), changed AS (
    UPDATE fliq.schedules s
       SET paused = $3::timestamptz IS NULL, next_run_at = $3::timestamptz,
           updated_at = now()
      FROM found
     WHERE s.account_id = $1::uuid AND s.id = $2::uuid
       AND found.paused <> ($3::timestamptz IS NULL)
       AND found.cron = coalesce($4::text, found.cron)
 RETURNING 1
)
SELECT EXISTS (SELECT FROM changed) AS changed FROM found
