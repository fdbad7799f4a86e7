-- Take a dispatcher's advisory lock for this session.  Another session that
-- has it is the dispatcher's own of before, which the server takes for alive
-- while the network between them is silent: it is ended, and the next try
-- succeeds.  Those who probe (owner_probe) share the lock, so it is none of
-- theirs.
-- in:  $1 int8 lock_key
-- out: one row: locked boolean, ended int8 (sessions)
WITH tried AS MATERIALIZED (
    SELECT pg_try_advisory_lock($1::int8) AS locked
)
SELECT locked,
       CASE WHEN NOT locked THEN (
           SELECT count(pg_terminate_backend(l.pid))
             FROM pg_locks l
             JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.objsubid = 1
              AND l.mode = 'ExclusiveLock' AND l.granted
              AND l.classid::int8 << 32 | l.objid::int8 = $1::int8
              AND a.datname = current_database()
              AND a.usename = current_user)
       END AS ended
  FROM tried
