-- Claim due jobs, the longest due first.
-- in:  $1 uuid owner, $2 int4 rows at most, $3 int4[] lanes to pass over
-- out: claim_id int8, account_id uuid, id uuid, attempt int4,
--      max_retries int2, timeout_seconds int4, lane int4, backoff text,
--      due_at timestamptz,
--      method text, url text, headers text, body bytea, secret text,
--      refused text: why the account may not have it fired, else NULL
-- A row whose time is not its job's is left from a claim that a crash of the
-- server forgot: the job has gone on, the row just goes.
-- locks: the rows of fliq.due that it deletes (those locked are skipped); the
--        owner's row against being buried; the accounts that pay for their
--        executions, in the order of their ids: each call is charged here
WITH me AS MATERIALIZED (
    SELECT id FROM fliq.owners WHERE id = $1::uuid FOR KEY SHARE
), taken AS (
    DELETE FROM fliq.due
     WHERE ctid = ANY (ARRAY(
               SELECT d.ctid
                 FROM fliq.due d
                WHERE d.due_at AT TIME ZONE 'UTC' <= now() AT TIME ZONE 'UTC'
                  AND d.lane <> ALL ($3::int4[])
                  AND EXISTS (SELECT FROM me)
                ORDER BY d.due_at AT TIME ZONE 'UTC'
                LIMIT $2::int4
                  FOR UPDATE SKIP LOCKED))
 RETURNING account_id, job_id, due_at
), job AS MATERIALIZED (
    SELECT j.account_id, j.id, j.attempts + 1 AS attempt, j.max_retries,
           j.timeout_seconds, j.lane, j.backoff, j.due_at, j.method, j.url,
           j.headers, j.body
      FROM taken t
     CROSS JOIN LATERAL (
               SELECT * FROM fliq.jobs
                WHERE jobs.account_id = t.account_id AND jobs.id = t.job_id
                  AND jobs.due_at = t.due_at
                LIMIT 1) AS j
), allowed AS MATERIALIZED (
    SELECT d.account_id, a.allowance, a.credits
      FROM (SELECT DISTINCT account_id FROM job ORDER BY account_id) AS d
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
      FROM (SELECT j.account_id, j.id, a.allowance,
                   row_number() OVER (PARTITION BY j.account_id
                                      ORDER BY j.due_at, j.id) AS n
              FROM allowed a
              JOIN job j ON j.account_id = a.account_id) AS n
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
    SELECT id, fliq.make_id(), 'job_execution',
           (now() AT TIME ZONE 'UTC')::date, -n, 'job executions of a day'
      FROM spent
     ORDER BY id
        ON CONFLICT (account_id, day, type) WHERE day IS NOT NULL DO UPDATE
       SET amount = t.amount + excluded.amount
), claim AS (
    INSERT INTO fliq.claims (owner_id, account_ids, job_ids, attempts)
    SELECT $1::uuid, array_agg(account_id), array_agg(id), array_agg(attempt)
      FROM job
    HAVING count(*) > 0
 RETURNING id
)
SELECT claim.id AS claim_id, j.account_id, j.id, j.attempt, j.max_retries,
       j.timeout_seconds, j.lane, j.backoff::text AS backoff, j.due_at,
       j.method, j.url, j.headers, j.body, s.secret,
       CASE WHEN a.account_id IS NULL OR c.id IS NOT NULL THEN NULL
            WHEN a.credits THEN 'the daily execution limit is reached'
            ELSE 'the account has no credits left' END AS refused
  FROM job j
 CROSS JOIN claim
  LEFT JOIN fliq.signing_secrets s ON s.account_id = j.account_id
  LEFT JOIN allowed a ON a.account_id = j.account_id
  LEFT JOIN charged c ON c.account_id = j.account_id AND c.id = j.id
