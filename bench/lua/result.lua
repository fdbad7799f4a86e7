-- What every script ends with: one line that bench/lib.sh reads.
-- RESULT requests, requests a second, p50 and p99 in milliseconds, errors

function done(summary, latency)
    local e = summary.errors

    print(string.format("RESULT %d %.1f %.3f %.3f %d", summary.requests,
                        summary.requests / (summary.duration / 1e6),
                        latency:percentile(50) / 1e3,
                        latency:percentile(99) / 1e3,
                        e.connect + e.read + e.write + e.status + e.timeout))
end
