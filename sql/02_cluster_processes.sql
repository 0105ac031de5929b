-- Clustering: events with the same shape become one row.
--
-- The notebook ran DBSCAN over three features with eps 0.0001, and kept one event of every cluster. dbcluster does both:
-- each cluster is the row of its first event with the cluster's size and its first and last time, and each event that
-- belongs to no cluster stays a row of its own (clustered = false, size 1).
--
-- Look for: the first rows. What stands alone, and then what came only a few times, is where an analyst begins.

SELECT
  clustered,
  cluster_size,
  tokens,
  process_name(NewProcessName) AS process,
  left(CommandLine, 60) AS command_line,
  first_event_time
FROM dbcluster(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine),
   path: path_score(NewProcessName),
   is_system: is_system_session(SubjectLogonId)},
  eps => 0.0001)
ORDER BY clustered, cluster_size, tokens DESC, first_event_time;
