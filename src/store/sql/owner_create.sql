-- Enter a dispatcher that holds its lock already.
-- in:  $1 uuid id, $2 int8 lock_key, $3 text node, $4 int4 pid
-- out: now timestamptz
INSERT INTO fliq.owners (id, lock_key, node, pid)
VALUES ($1::uuid, $2::int8, $3::text, $4::int4)
RETURNING clock_timestamp() AS now
