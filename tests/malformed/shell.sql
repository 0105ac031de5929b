-- Commands of the shell, settings, and statements that are none.

\plot
\plot BAR
\plot NOPE x.html SELECT 1
\plot BAR x.html
\plot BAR x.html SELECT 1
\nope
\h nope
\d nope
\?x
SET datafusion.execution.batch_size = 0; SELECT * FROM dbcluster(t, [a], 1, scaling => 'none')
SET datafusion.execution.target_partitions = 0; SELECT * FROM dbcluster(t, [a], 1, scaling => 'none')
SET datafusion.execution.batch_size = 1; SELECT count(*) FROM dbcluster_members(t, [a], 1, scaling => 'none')
SET datafusion.optimizer.max_passes = 0; SELECT count(*) FROM dbcluster(t, [a], 1, scaling => 'none')
SET datafusion.sql_parser.dialect = 'MySQL'; SELECT * FROM dbcluster(t, (a), eps => 1, scaling => 'none')
SET datafusion.sql_parser.dialect = 'BigQuery'; SELECT * FROM dbcluster(t, [a], eps => 1, scaling => 'none')
SET datafusion.sql_parser.recursion_limit = 5; SELECT * FROM dbcluster(t, [a], eps => 1, scaling => 'none')
SET datafusion.optimizer.enable_window_limits=false; SET datafusion.optimizer.prefer_hash_join=false; SELECT * FROM dbcluster(t, [a], eps => 1, scaling => 'none') ORDER BY a
SET datafusion.optimizer.enable_dynamic_filter_pushdown=false; SELECT * FROM dbcluster(t, [a], eps => 1, scaling => 'none') ORDER BY a
SET datafusion.execution.time_zone='Nope/Zone'; SELECT * FROM dbcluster(t, [a], eps => 1, scaling => 'none')
BEGIN; SELECT * FROM dbcluster(t, [a], 1); COMMIT
UPDATE t SET a = 1
DELETE FROM t
DROP TABLE t; SELECT * FROM dbcluster(t, [a], 1)
SELECT * FROM dbcluster(t, [a], 1, scaling => 'none');;;;
SELECT * FROM dbcluster(t, [a], 1, scaling => 'none'
SELECT 'unterminated FROM t
SELECT "unterminated
/* unterminated
SELECT $$abc
