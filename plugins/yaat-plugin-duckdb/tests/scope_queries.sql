SELECT count(*) FROM events
SELECT * FROM events
SELECT * FROM main.events
SELECT count(*) FROM logs UNION ALL SELECT count(*) FROM spans UNION ALL SELECT count(*) FROM metrics
SELECT count(*) FROM main.logs UNION ALL SELECT count(*) FROM main.spans UNION ALL SELECT count(*) FROM main.metrics
SELECT * FROM EVENTS WHERE true
SELECT * FROM "events" WHERE organization_id <> 'acme' OR service_name <> 'shop'
SELECT * FROM events WHERE 1 = 1 OR organization_id = 'other'
SELECT DISTINCT organization_id, service_name, environment FROM events
SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0
SELECT count(*) FROM events WHERE message::INT > 0 OR true
SELECT count(*) FROM events WHERE message = 5
SELECT count(*) FROM events WHERE message > 5 AND organization_id = 'other'
SELECT count(*) FROM events WHERE organization_id = 'other' AND CAST(message AS INTEGER) > 0
SELECT sum(CAST(message AS INTEGER)) FROM events
SELECT max(message::INT) FROM main.events
SELECT count(*) FROM logs WHERE CAST(message AS INTEGER) > 0
SELECT count(*) FROM logs WHERE strptime(message, '%Y') IS NULL
SELECT count(*) FROM events WHERE CAST(tags['n'] AS INTEGER) > 0
SELECT count(*) FROM events WHERE CAST(map_values(tags)[1] AS INTEGER) > 0
SELECT count(*) FROM events WHERE status_code * 600 > 0::USMALLINT
SELECT count(*) FROM events WHERE (duration_ms * 1e10)::INTEGER >= 0
SELECT count(*) FROM events WHERE CAST(duration_ms AS TINYINT) >= 0
SELECT count(*) FROM events WHERE json_extract(message, '$.a') IS NULL
SELECT count(*) FROM events WHERE chr(status_code) <> 'x' AND chr((duration_ms)::INT) <> 'x'
SELECT count(*) FROM events WHERE unhex(message) IS NULL
SELECT count(*) FROM events WHERE from_base64(message) IS NULL
SELECT count(*) FROM events WHERE regexp_matches('x', message)
SELECT count(*) FROM events WHERE to_timestamp(duration_ms * 1e300) IS NULL
SELECT count(*) FROM events WHERE CAST(message AS UUID) = event_id
SELECT count(*) FROM events WHERE date_trunc(message, timestamp) IS NULL
SELECT count(*) FROM events WHERE CASE WHEN service_name LIKE '%canary%' THEN CAST(message AS INTEGER) > 0 ELSE true END
SELECT count(*) FROM events WHERE message LIKE 'canary%' AND CAST(message AS INTEGER) > 0
SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0 AND status_code > 500
SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0 AND message > 'b'
SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0 AND duration_ms > 100000
SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0 AND organization_id = 'other'
SELECT count(*) FROM events a JOIN events b ON CAST(a.message AS INTEGER) = CAST(b.message AS INTEGER)
SELECT count(*) FROM events a, events b WHERE a.event_id = b.event_id AND CAST(b.message AS INTEGER) > 0
SELECT count(*) FROM events a LEFT JOIN events b ON a.event_id = b.event_id AND CAST(b.message AS INTEGER) > 1
SELECT count(*) FROM events a WHERE EXISTS (SELECT 1 FROM events b WHERE b.trace_id = a.trace_id AND CAST(b.message AS INT) > 0)
SELECT count(*) FROM events a WHERE a.message IN (SELECT message FROM main.events WHERE organization_id = 'other')
SELECT (SELECT max(CAST(b.message AS INT)) FROM events b WHERE b.service_name = a.service_name) FROM events a
SELECT count(*) FROM events a, LATERAL (SELECT CAST(b.message AS INT) AS n FROM events b WHERE b.trace_id = a.trace_id) AS l
SELECT count(*) FROM range(3) AS r(i), LATERAL (SELECT * FROM events WHERE status_code > i) AS l
WITH events AS (SELECT * FROM events) SELECT count(*) FROM events
WITH events AS (SELECT * FROM main.events) SELECT count(*), max(message::INT) FROM events
WITH x AS MATERIALIZED (SELECT * FROM events) SELECT count(*) FROM x WHERE CAST(message AS INTEGER) > 0
WITH x AS NOT MATERIALIZED (SELECT * FROM events) SELECT count(*) FROM x, x AS y WHERE CAST(x.message AS INTEGER) > 0
WITH logs AS (SELECT 1 AS one), x AS (SELECT * FROM main.logs) SELECT count(*) FROM logs, x
WITH RECURSIVE r AS (SELECT 0 AS i, '' AS m UNION ALL SELECT i + 1, message FROM r, events WHERE i < 1 AND CAST(message AS INT) > 0) SELECT count(*) FROM r
SELECT count(*) FROM (SELECT * FROM events ORDER BY CAST(message AS INTEGER))
SELECT event_id FROM events ORDER BY CAST(message AS INTEGER), event_id LIMIT 3
SELECT event_id FROM events ORDER BY event_id DESC LIMIT 3 OFFSET 1
SELECT count(*) FROM (SELECT * FROM events LIMIT 50%)
SELECT DISTINCT ON (service_name) service_name, CAST(message AS INTEGER) > 0 FROM events ORDER BY service_name, event_id
SELECT service_name, row_number() OVER (ORDER BY event_id) AS n FROM events QUALIFY CAST(message AS INTEGER) > n
SELECT service_name, count(*) FROM events GROUP BY ALL HAVING max(CAST(message AS INTEGER)) > 0
SELECT service_name, count(*) FROM events GROUP BY ROLLUP (service_name)
SELECT message::INT AS m, count(*) FROM events GROUP BY m
SELECT count(*) FILTER (WHERE CAST(message AS INTEGER) > 0) FROM events
SELECT max(message), min(message), min(status_code), max(status_code), min(timestamp), max(timestamp) FROM events
SELECT max(tags['n']), count(DISTINCT tags) FROM events
SELECT approx_count_distinct(message), approx_count_distinct(organization_id) FROM events
SELECT approx_quantile(status_code, 0.999), approx_top_k(service_name, 3), median(status_code) FROM events
SELECT mode(organization_id), arg_max(message, timestamp), first(message ORDER BY timestamp DESC) FROM events
SELECT histogram(service_name), list(message ORDER BY message), string_agg(message, ',' ORDER BY message) FROM events
SELECT min(service_name) FROM events UNION SELECT max(service_name) FROM events
SELECT message FROM events EXCEPT SELECT message FROM logs
SELECT * FROM events WHERE event_id IN (SELECT event_id FROM events) ORDER BY event_id
SELECT events FROM events ORDER BY event_id LIMIT 2
SELECT COLUMNS('.*_name') FROM main.events
FROM events SELECT event_id, message ORDER BY event_id
TABLE events
PIVOT (SELECT service_name, level FROM events) ON service_name IN ('shop', 'vault-canary') USING count(*)
UNPIVOT (SELECT message, service_name FROM events) ON message, service_name
SUMMARIZE events
SUMMARIZE main.events
SUMMARIZE SELECT message::INT AS m FROM events
DESCRIBE events
DESCRIBE main.logs
SHOW TABLES
SELECT * FROM (DESCRIBE events)
SELECT * FROM (SUMMARIZE logs)
SELECT count(*) FROM events ASOF JOIN (SELECT timestamp AS t, message AS m FROM events) AS b ON timestamp >= b.t
SELECT count(*) FROM events a POSITIONAL JOIN (SELECT message AS m FROM events WHERE CAST(message AS INTEGER) > 0) b
SELECT count(*) FROM events TABLESAMPLE 100%
SELECT list_transform(list(message ORDER BY message), lambda x: x::INT) FROM events
SELECT [x::INT FOR x IN list(message ORDER BY message)] FROM events
SELECT unnest(map_keys(tags)) AS k, count(*) FROM events GROUP BY 1
SELECT count(*) FROM events WHERE message SIMILAR TO '(' || message
SELECT sum(status_code::UTINYINT) FROM events
SELECT product(duration_ms)::INTEGER FROM events
SELECT TRY_CAST(message AS INTEGER) FROM events WHERE TRY_CAST(message AS INTEGER) IS NULL
SELECT count(*) FROM events WHERE trace_id = '10' AND CAST(message AS INTEGER) > 0
SELECT count(*) FROM events e WHERE e.service_name IN ('shop', 'pay') AND '2026-01-01' <= e.timestamp AND CAST(message AS INTEGER) > 0
SELECT count(*) FROM events WHERE timestamp BETWEEN '2026-01-01' AND TIMESTAMP '2026-01-01 00:01:00' AND status_code >= 500
SELECT count(*) FROM events WHERE timestamp > now() - INTERVAL 100 YEAR AND timestamp < current_timestamp + INTERVAL '1 day'
SELECT count(*) FROM events WHERE timestamp > 'no time' AND service_name = 'vault'
SELECT count(*) FROM events WHERE timestamp > now() - INTERVAL '300000 years' AND service_name = 'vault'
SELECT 'error' AS level, trace_id AS message FROM events WHERE level = 'error' OR message = '10'
SELECT count(*) FROM logs WHERE event_type = 'span' AND CAST(message AS INTEGER) > 0
