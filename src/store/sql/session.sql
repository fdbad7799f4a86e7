-- Settings of every connection.  The statements are written for their
-- indexes; a plan made while a table was small must not scan it when it has
-- grown a second later.
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_bitmapscan = off;
SET enable_memoize = off;
SET jit = off;
SET timezone = 'UTC';
-- A client that vanished without a word is noticed within 6 s, also between
-- two packets of one statement, when its locks are held and no other timeout
-- runs.  (On a Unix socket these have no effect.)
SET tcp_keepalives_idle = 3;
SET tcp_keepalives_interval = 1;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 6000;
