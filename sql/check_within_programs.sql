-- The truth once more, each program by itself: does that show what was hidden?
--
-- partition_by compares an event only with those of the same program, whatever its version (cmdline_template). A cluster of
-- one program is part of a cluster of all events, so what was seen before still is; and a program that looks like another
-- one no longer lies among its events.
--
-- Look for: the column hidden. The price: more rows to read, since each program has its own.

WITH members AS (
  SELECT *, count(*) OVER (PARTITION BY cmdline_template(process_name(NewProcessName)), cluster_id) AS size
  FROM dbcluster_members(
    'sample/processes.parquet',
    {tokens: cmdline_tokens(CommandLine),
     path: path_score(NewProcessName),
     is_system: is_system_session(SubjectLogonId)},
    eps => 0.0001,
    partition_by => cmdline_template(process_name(NewProcessName)))
)
SELECT
  anomaly_kind,
  count(*) AS planted,
  count(*) FILTER (WHERE cluster_id = -1) AS alone,
  count(*) FILTER (WHERE cluster_id >= 0 AND size <= 10) AS in_small_clusters,
  count(*) FILTER (WHERE cluster_id >= 0 AND size > 10) AS hidden
FROM members
WHERE is_anomaly
GROUP BY anomaly_kind
ORDER BY anomaly_kind;
