-- What was hidden: how often each kind of secret, and a message that held it, as it is stored.
SELECT hidden, count(*) AS times, min(service_name) AS service, arg_min(message, length(message)) AS example
FROM (
    SELECT unnest(regexp_extract_all(message, '\[([a-z][a-z_]+)\]', 1)) AS hidden, service_name, message
    FROM logs
)
GROUP BY hidden
ORDER BY times DESC, hidden
