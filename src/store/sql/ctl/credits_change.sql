-- Change the balance of an account, and note the difference as a grant.
-- vars: account (uuid); how, add n to it or set it to n; n; max, what it may
--       be in the end; description, may be empty
-- out:  the account, a JSON object; "full" and nothing done, when it would be
--       more than max; nothing when there is no such account
-- locks: the account's row, as the claims that charge it do
\ir functions.sql
WITH wanted AS MATERIALIZED (
    SELECT id, balance,
           CASE :'how' WHEN 'add' THEN :n::bigint
                ELSE :n::bigint - balance END AS amount
      FROM fliq.accounts
     WHERE id = :'account'
       FOR NO KEY UPDATE
), changed AS (
    UPDATE fliq.accounts a
       SET balance = w.balance + w.amount
      FROM wanted w
     WHERE a.id = w.id AND w.balance + w.amount <= :max
    RETURNING w.id, w.amount, pg_temp.shown(a) AS shown
), noted AS (
    INSERT INTO fliq.credit_transactions
           (account_id, id, type, amount, description)
    SELECT id, pg_temp.new_id(), 'grant', amount, nullif(:'description', '')
      FROM changed
     WHERE amount <> 0
)
SELECT coalesce(changed.shown::text, 'full')
  FROM wanted
  LEFT JOIN changed ON changed.id = wanted.id;
