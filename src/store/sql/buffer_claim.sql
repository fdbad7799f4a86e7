-- Take buffers that may send, the longest due first, each with its first
-- item.  While a dispatcher has a buffer no other can take it.
-- The item is locked, so that it is read as it is now: a head that went round
-- between this statement's snapshot and its lock would give the item before.
-- A claim of something is flushed before it is answered, whatever the session
-- does else: a crash of the server must not forget that a request may have
-- been sent.
-- in:  $1 uuid owner, $2 int4 rows at most, $3 int4[] lanes to pass over
-- out: buffer_id uuid, account_id uuid, id uuid (the item's), attempt int4,
--      retry_count int4, max_retries int2, timeout_seconds int4, lane int4,
--      rate_limit int4, backoff text, throttled_at timestamptz, method text,
--      url text, buffer_headers text, headers text, body bytea, pace bytea,
--      secret text, refused text: as claim_due
-- locks: the heads that it takes (those locked are skipped) and their items;
--        the owner's row against being buried; the accounts that pay, as
--        claim_due does
WITH me AS MATERIALIZED (
    SELECT id FROM fliq.owners WHERE id = $1::uuid FOR KEY SHARE
), head AS MATERIALIZED (
    SELECT h.buffer_id, h.account_id, h.lane, h.first_seq, h.pace, h.due_at
      FROM fliq.buffer_heads h
     WHERE h.due_at AT TIME ZONE 'UTC' <= now() AT TIME ZONE 'UTC'
       AND NOT h.paused AND h.lane <> ALL ($3::int4[])
       AND EXISTS (SELECT FROM me)
     ORDER BY h.due_at AT TIME ZONE 'UTC'
     LIMIT $2::int4
       FOR UPDATE SKIP LOCKED
), item AS MATERIALIZED (
    SELECT h.buffer_id, h.account_id, h.lane, h.pace, h.due_at, i.id, i.seq,
           i.attempts + 1 AS attempt, i.retry_count, i.throttled_at,
           i.headers, i.body
      FROM head h
     CROSS JOIN LATERAL (
               SELECT * FROM fliq.buffer_items
                WHERE buffer_items.buffer_id = h.buffer_id
                  AND buffer_items.status = 'pending'
                  AND buffer_items.seq >= h.first_seq
                ORDER BY buffer_items.buffer_id, buffer_items.seq
                LIMIT 1
                  FOR UPDATE) AS i
), taken AS (
    UPDATE fliq.buffer_heads h
       SET owner_id = $1::uuid, item_id = i.id, attempt = i.attempt,
           first_seq = i.seq, due_at = NULL
      FROM item i
     WHERE h.buffer_id = i.buffer_id
 RETURNING h.buffer_id, set_config('synchronous_commit', 'on', true)
), allowed AS MATERIALIZED (
    SELECT d.account_id, a.allowance, a.credits
      FROM (SELECT DISTINCT account_id FROM item ORDER BY account_id) AS d
     CROSS JOIN LATERAL (
               SELECT fliq.allowance(accounts) AS allowance,
                      accounts.balance > fliq.allowance(accounts) AS credits
                 FROM fliq.accounts
                WHERE accounts.id = d.account_id
                  AND accounts.plan <> 'unlimited'
                LIMIT 1
                  FOR NO KEY UPDATE) AS a
), charged AS MATERIALIZED (
    SELECT n.account_id, n.id
      FROM (SELECT i.account_id, i.id, a.allowance,
                   row_number() OVER (PARTITION BY i.account_id
                                      ORDER BY i.due_at, i.id) AS n
              FROM allowed a
              JOIN item i ON i.account_id = a.account_id) AS n
     WHERE n.n <= n.allowance
), spent AS (
    UPDATE fliq.accounts a
       SET balance = a.balance - c.n,
           used_today = CASE WHEN a.used_on
                                  = (now() AT TIME ZONE 'UTC')::date
                             THEN a.used_today ELSE 0 END + c.n,
           used_on = (now() AT TIME ZONE 'UTC')::date
      FROM (SELECT account_id, count(*) AS n
              FROM charged
             GROUP BY account_id) AS c
     WHERE a.id = c.account_id
 RETURNING a.id, c.n
), noted AS (
    INSERT INTO fliq.credit_transactions AS t
           (account_id, id, type, day, amount, description)
    SELECT id, fliq.make_id(), 'buffer_execution',
           (now() AT TIME ZONE 'UTC')::date, -n, 'buffer executions of a day'
      FROM spent
     ORDER BY id
        ON CONFLICT (account_id, day, type) WHERE day IS NOT NULL DO UPDATE
       SET amount = t.amount + excluded.amount
)
SELECT i.buffer_id, i.account_id, i.id, i.attempt,
       i.retry_count, b.max_retries, b.timeout_seconds, i.lane, b.rate_limit,
       b.backoff::text AS backoff, i.throttled_at, b.method, b.url,
       b.headers AS buffer_headers, i.headers, i.body, i.pace, s.secret,
       CASE WHEN a.account_id IS NULL OR c.id IS NOT NULL THEN NULL
            WHEN a.credits THEN 'the daily execution limit is reached'
            ELSE 'the account has no credits left' END AS refused
  FROM taken t
  JOIN item i ON i.buffer_id = t.buffer_id
 CROSS JOIN LATERAL (
           SELECT * FROM fliq.buffers
            WHERE buffers.account_id = i.account_id
              AND buffers.id = i.buffer_id
            LIMIT 1) AS b
  LEFT JOIN fliq.signing_secrets s ON s.account_id = i.account_id
  LEFT JOIN allowed a ON a.account_id = i.account_id
  LEFT JOIN charged c ON c.account_id = i.account_id AND c.id = i.id
