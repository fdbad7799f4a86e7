-- What is in the database, as far as counting it is cheap: what waits and
-- runs by index, what has been executed from the daily sums.
-- vars: latest, the newest migration that this program knows
-- out:  one JSON object
WITH jobs AS (
    SELECT waiting, unfinished - waiting AS running
      FROM (SELECT (SELECT count(*) FROM fliq.due) AS waiting,
                   (SELECT count(*) FROM fliq.jobs
                     WHERE status = 'waiting') AS unfinished) AS counted
), executed AS (
    SELECT coalesce(sum(executions), 0) AS total,
           coalesce(sum(succeeded), 0) AS success,
           coalesce(sum(failed), 0) AS failed
      FROM fliq.usage_daily
)
SELECT row_to_json(status)
  FROM (SELECT (SELECT max(version) FROM fliq.schema_migrations) AS version,
               :latest AS latest,
               (SELECT count(*) FROM fliq.accounts) AS accounts,
               (SELECT count(*) FROM fliq.tokens
                 WHERE revoked_at IS NULL) AS tokens,
               (SELECT count(*) FROM fliq.owners
                 WHERE gone_at IS NULL) AS dispatchers,
               row_to_json(jobs) AS jobs,
               row_to_json(executed) AS executions
          FROM jobs, executed) AS status;
