-- Settings of the connection that claims, besides session.sql.  A claim that
-- a crash of the server forgets is claimed again; the outcome of a call is
-- committed synchronously elsewhere, and flushes the claim before it.
SET synchronous_commit = off;
