-- Record what came of a batch of items' attempts, and let their buffers go
-- on.
-- in:  $1 uuid owner; one array each, of the same length:
--      $2 uuid[] account_id, $3 uuid[] buffer_id, $4 uuid[] item id,
--      $5 int4[] attempt, $6 int4[] retry_count,
--      $7 timestamptz[] throttled_at, $8 timestamptz[] started_at,
--      $9 int4[] duration_ms, $10 int4[] status_code, $11 text[] error,
--      $12 timestamptz[] the buffer's next request, not before,
--      $13 bytea[] pace, $14 int4[] 1 where no request was made: nothing is
--      counted, $15 text[] item status: pending (it is tried again),
--      completed or failed, $16 int4[] histogram bucket; $17 int4 shard
-- out: one row: owner boolean (not buried), settled int8, posted int8,
--      next_at timestamptz: when the first of these buffers may send, or NULL
-- An outcome counts when its owner still has the buffer, with that item and
-- that attempt.  A tail is locked only where no item was seen behind the one
-- that ends.
-- locks: the owner's row against being buried; the tails, then the heads, in
--        the order of their key; the items; the usage rows in the order of
--        their key
WITH me AS MATERIALIZED (
    SELECT id FROM fliq.owners WHERE id = $1::uuid FOR KEY SHARE
), input AS MATERIALIZED (
    SELECT t.*, b.url, b.method, b.webhook_url, b.webhook_headers,
           b.webhook_lane, h.first_seq
      FROM (SELECT unnest($2::uuid[]) AS account_id,
                   unnest($3::uuid[]) AS buffer_id,
                   unnest($4::uuid[]) AS item_id,
                   unnest($5::int4[]) AS attempt,
                   unnest($6::int4[]) AS retry_count,
                   unnest($7::timestamptz[]) AS throttled_at,
                   unnest($8::timestamptz[]) AS started_at,
                   unnest($9::int4[]) AS duration_ms,
                   unnest($10::int4[]) AS status_code,
                   unnest($11::text[]) AS error,
                   unnest($12::timestamptz[]) AS due_at,
                   unnest($13::bytea[]) AS pace,
                   unnest($14::int4[]) AS refused,
                   unnest($15::text[]) AS status,
                   unnest($16::int4[]) AS bucket
              FROM me) AS t
     CROSS JOIN LATERAL (
               SELECT * FROM fliq.buffers
                WHERE buffers.account_id = t.account_id
                  AND buffers.id = t.buffer_id
                LIMIT 1) AS b
     CROSS JOIN LATERAL (
               SELECT first_seq FROM fliq.buffer_heads
                WHERE buffer_heads.buffer_id = t.buffer_id
                LIMIT 1) AS h
     ORDER BY t.buffer_id
), ending AS MATERIALIZED (
    SELECT i.*, t.buffer_id IS NOT NULL AS drained
      FROM input i
      LEFT JOIN LATERAL (
               SELECT buffer_id FROM fliq.buffer_tails
                WHERE buffer_tails.buffer_id = i.buffer_id
                  AND buffer_tails.next_seq = i.first_seq + 1
                  AND i.status <> 'pending'
                LIMIT 1
                  FOR UPDATE) AS t ON true
), freed AS (
    UPDATE fliq.buffer_heads h
       SET owner_id = NULL, item_id = NULL, attempt = NULL, pace = i.pace,
           free_at = i.due_at,
           completed = h.completed
                       + CASE i.status WHEN 'completed' THEN 1 ELSE 0 END,
           failed = h.failed + CASE i.status WHEN 'failed' THEN 1 ELSE 0 END,
           due_at = CASE WHEN NOT i.drained
                         THEN greatest(i.due_at, now()) END
      FROM ending i
     WHERE h.buffer_id = i.buffer_id AND (h.owner_id = $1::uuid) IS TRUE
       AND h.item_id = i.item_id AND h.attempt = i.attempt
 RETURNING i.*, CASE WHEN NOT h.paused THEN h.due_at END AS next_at
), idle AS (
    UPDATE fliq.buffer_tails t
       SET idle = true
      FROM freed f
     WHERE t.buffer_id = f.buffer_id AND f.drained
), done AS (
    UPDATE fliq.buffer_items t
       SET status = f.status::fliq.item_status,
           attempts = f.attempt - f.refused,
           retry_count = f.retry_count,
           throttled_at = f.throttled_at,
           status_code = CASE WHEN f.refused = 0 THEN f.status_code
                              ELSE t.status_code END,
           last_error = f.error,
           completed_at = CASE WHEN f.status <> 'pending'
                               THEN f.started_at
                                    + f.duration_ms * interval '1 ms' END
      FROM freed f
     WHERE t.buffer_id = f.buffer_id AND t.id = f.item_id
 RETURNING f.account_id, f.buffer_id, f.item_id, t.attempts, f.started_at,
           f.duration_ms, t.status_code, f.error, f.status, f.bucket,
           f.refused, f.url, f.method, f.webhook_url, f.webhook_headers,
           f.webhook_lane, t.completed_at
), daily AS (
    INSERT INTO fliq.usage_daily AS u
           (account_id, day, kind, shard, executions, succeeded, failed,
            duration_ms_sum)
    SELECT account_id, started_at::date AS day, 'buffer', $17::int4,
           count(*), count(*) FILTER (WHERE status = 'completed'),
           count(*) FILTER (WHERE status <> 'completed'), sum(duration_ms)
      FROM done
     WHERE refused = 0
     GROUP BY account_id, day
     ORDER BY account_id, day
        ON CONFLICT (account_id, day, kind, shard) DO UPDATE
       SET executions = u.executions + excluded.executions,
           succeeded = u.succeeded + excluded.succeeded,
           failed = u.failed + excluded.failed,
           duration_ms_sum = u.duration_ms_sum + excluded.duration_ms_sum
), durations AS (
    INSERT INTO fliq.usage_durations AS u
           (account_id, day, kind, shard, bucket, count)
    SELECT account_id, started_at::date AS day, 'buffer', $17::int4, bucket,
           count(*)
      FROM done
     WHERE refused = 0
     GROUP BY account_id, day, bucket
     ORDER BY account_id, day, bucket
        ON CONFLICT (account_id, day, kind, shard, bucket) DO UPDATE
       SET count = u.count + excluded.count
), hooks AS (
    INSERT INTO fliq.outbox
           (account_id, delivery_id, lane, url, headers, body)
    SELECT account_id, fliq.id_text('item', item_id), webhook_lane,
           webhook_url, webhook_headers,
           json_build_object(
               'job_id', fliq.id_text('item', item_id),
               'buffer_id', fliq.id_text('buf', buffer_id),
               'item_id', fliq.id_text('item', item_id),
               'status', status,
               'status_code', status_code,
               'last_error', error,
               'completed_at', fliq.time_text(completed_at),
               'attempt_num', attempts)::text
      FROM done
     WHERE status <> 'pending' AND webhook_url IS NOT NULL
 RETURNING 1
), alerts AS (
    INSERT INTO fliq.outbox (account_id, delivery_id, lane, url, body)
    SELECT d.account_id, fliq.id_text('item', d.item_id), c.lane, c.target,
           fliq.alert_text(c.type, 'buffer_item',
                           fliq.id_text('item', d.item_id),
                           fliq.id_text('buf', d.buffer_id), NULL, d.url,
                           d.method, d.error, d.status_code, d.attempts,
                           d.completed_at)
      FROM done d
     CROSS JOIN LATERAL (
               SELECT type, target, lane
                 FROM fliq.alert_channels
                WHERE account_id = d.account_id AND enabled
                LIMIT 1000) AS c
     WHERE d.status = 'failed'
 RETURNING 1
)
SELECT EXISTS (SELECT FROM me) AS owner,
       (SELECT count(*) FROM done) AS settled,
       (SELECT count(*) FROM hooks) + (SELECT count(*) FROM alerts)
           AS posted,
       (SELECT min(next_at) FROM freed) AS next_at
