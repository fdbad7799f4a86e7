-- Say that a dispatcher lives, and read the clock.
-- in:  $1 uuid id
-- out: now timestamptz; no row when others have taken over its jobs
UPDATE fliq.owners
   SET beat_at = clock_timestamp(), gone_at = NULL
 WHERE id = $1::uuid
RETURNING clock_timestamp() AS now
