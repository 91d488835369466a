-- Errors per minute by service: failed requests, and logs at error or above.
SELECT
    strftime(time_bucket(INTERVAL 1 MINUTE, timestamp), '%H:%M') AS minute,
    service_name AS service,
    count(*) AS total,
    count(*) FILTER (level IN ('error', 'critical') OR status_code >= 500) AS errors,
    round(100.0 * errors / total, 1) AS percent
FROM events
GROUP BY minute, service
HAVING errors > 0
ORDER BY minute, service
