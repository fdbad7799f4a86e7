-- An id for what is about to be created.
-- out: a UUID
\ir functions.sql
SELECT pg_temp.new_id();
