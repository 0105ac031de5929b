-- The truth: where did the planted processes end up?
--
-- The generator marks what it planted (is_anomaly, anomaly_kind), which no real log does. Alone: a row of its own in the
-- collapsed set. In small clusters: together with at most nine others. Hidden: among more.

WITH members AS (
  SELECT *, count(*) OVER (PARTITION BY cluster_id) AS size
  FROM dbcluster_members(
    'sample/processes.parquet',
    {tokens: cmdline_tokens(CommandLine),
     path: path_score(NewProcessName),
     is_system: is_system_session(SubjectLogonId)},
    eps => 0.0001)
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
