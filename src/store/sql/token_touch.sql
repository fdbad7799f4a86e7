-- Note that tokens were used, where the last note is more than a minute old.
-- in:  $1 uuid[] ids
-- out: none
-- It shares a pipeline with what clients wait for: it waits for no lock on a
-- row, and its commit not for the disk.
-- locks: the rows that it writes (those locked are skipped: they are being
--        written by another node, or revoked)
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE fliq.tokens
   SET last_used_at = now()
 WHERE ctid = ANY (ARRAY(
           SELECT t.ctid
             FROM quick
            CROSS JOIN fliq.tokens t
            WHERE t.id = ANY ($1::uuid[])
              AND coalesce(t.last_used_at <= now() - interval '1 minute',
                           true)
              FOR NO KEY UPDATE OF t SKIP LOCKED))
