-- What an account has.
-- in:  $1 uuid account_id
-- out: balance int8, plan text, daily_limit int4
SELECT balance, plan::text AS plan, daily_limit
  FROM fliq.accounts
 WHERE id = $1::uuid
