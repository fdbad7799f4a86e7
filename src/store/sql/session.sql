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
