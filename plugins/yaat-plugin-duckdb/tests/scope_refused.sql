EXPLAIN SELECT * FROM events
EXPLAIN ANALYZE SELECT * FROM events
explain analyze select count(*) from main.events
SELECT * FROM memory.main.events
SELECT * FROM memory.events
SELECT * FROM yaat_1.main.yaat_events
SELECT * FROM yaat_1.events
SELECT * FROM yaat_1.main.events
SELECT * FROM temp.events
SELECT * FROM temp.main.events
SELECT * FROM yaat_events
SELECT * FROM main.yaat_events
SELECT * FROM query_table('memory.main.events')
SELECT * FROM query('FROM memory.main.events')
DESCRIBE memory.main.events
SUMMARIZE memory.main.events
SUMMARIZE yaat_1.events
SELECT stats(message) FROM events
SELECT * FROM pragma_storage_info('events')
SELECT * FROM duckdb_tables()
SELECT * FROM duckdb_views()
SHOW ALL TABLES
SELECT current_setting('disabled_optimizers')
SET GLOBAL disabled_optimizers = ''
RESET disabled_optimizers
USE memory
DROP VIEW events
DROP VIEW temp.events
CREATE OR REPLACE TEMP VIEW events AS SELECT 1
COMMIT
SELECT 1; SELECT * FROM memory.main.events
WITH x AS (SELECT * FROM memory.main.events) SELECT * FROM x
SELECT (SELECT count(*) FROM memory.main.events)
SELECT * FROM "memory.main.events"
SELECT * FROM "memory"."main"."events"
