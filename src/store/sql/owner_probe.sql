-- Look which other dispatchers' sessions are gone: their lock can be had.
-- in:  $1 uuid the asker's id
-- out: nothing
WITH probed AS MATERIALIZED (
    SELECT id, pg_try_advisory_xact_lock_shared(lock_key) AS gone
      FROM fliq.owners
     WHERE id <> $1::uuid
)
UPDATE fliq.owners o
   SET gone_at = CASE WHEN p.gone THEN now() END
  FROM probed p
 WHERE o.id = p.id AND p.gone <> (o.gone_at IS NOT NULL)
