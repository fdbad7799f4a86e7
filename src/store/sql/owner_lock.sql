-- Take a dispatcher's advisory lock for this session.
-- in:  $1 int8 lock_key
-- out: one row: locked boolean
SELECT pg_try_advisory_lock($1::int8) AS locked
