-- The ids of some jobs of a set, as the API writes them.
-- in: set (0-9999), count
SELECT fliq.id_text('job', ('0180' || lpad(:'set', 4, '0')
                            || '-0000-7000-8000-'
                            || lpad(to_hex(n), 12, '0'))::uuid)
  FROM generate_series(1, :count) AS n;
