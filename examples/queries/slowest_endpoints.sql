-- Slowest endpoints: median and 99th percentile of the time a request took, ids taken together.
SELECT
    regexp_replace(operation, '/[0-9]+', '/{id}', 'g') AS endpoint,
    count(*) AS requests,
    round(quantile_cont(duration_ms, 0.5), 1) AS p50_ms,
    round(quantile_cont(duration_ms, 0.99), 1) AS p99_ms
FROM spans
WHERE duration_ms IS NOT NULL
GROUP BY endpoint
ORDER BY p99_ms DESC
LIMIT 10
