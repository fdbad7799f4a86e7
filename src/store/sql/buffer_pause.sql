-- Pause a buffer, or set it going again; it takes items either way, and an
-- item in flight ends as it would.
-- in:  $1 uuid account_id, $2 uuid id, $3 boolean paused
-- out: one row when it is there.  A buffer that is so already stays as it is.
WITH head AS MATERIALIZED (
    SELECT buffer_id, paused
      FROM fliq.buffer_heads
     WHERE buffer_id = $2::uuid AND account_id = $1::uuid
       FOR UPDATE
), changed AS (
    UPDATE fliq.buffer_heads h
       SET paused = $3::boolean
      FROM head
     WHERE h.buffer_id = head.buffer_id AND head.paused <> $3::boolean
), noted AS (
    UPDATE fliq.buffers b
       SET updated_at = now()
      FROM head
     WHERE b.account_id = $1::uuid AND b.id = head.buffer_id
       AND head.paused <> $3::boolean
)
SELECT 1 FROM head
