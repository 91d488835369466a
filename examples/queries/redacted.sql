-- What was hidden: a message for each kind of secret, as it is stored.
SELECT
    regexp_extract(message, '\[([a-z][a-z_]+)\]', 1) AS hidden,
    count(*) AS times,
    min(service_name) AS service,
    min(message) AS example
FROM logs
WHERE hidden <> ''
GROUP BY hidden
ORDER BY times DESC, hidden
