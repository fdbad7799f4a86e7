-- A page of an account's credit transactions, newest first.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows
-- out: id uuid, type text, amount int8, description text,
--      created_at timestamptz
SELECT id, type::text AS type, amount, description, created_at
  FROM fliq.credit_transactions
 WHERE account_id = $1::uuid AND id < $2::uuid
 ORDER BY account_id DESC, id DESC
 LIMIT $3::int4
