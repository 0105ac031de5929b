-- Sizes per process: how often is each program seen, and in how many shapes?
--
-- The notebook plotted the sizes of the clusters for every process name.
--
-- Look for: a program that is common, but has a shape of which there is only one (rarest = 1): somebody used an everyday
-- tool in a way of their own.

SELECT
  process_name(NewProcessName) AS process,
  count(*) AS shapes,
  sum(cluster_size) AS events,
  min(cluster_size) AS rarest,
  max(cluster_size) AS commonest
FROM dbcluster(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine),
   path: path_score(NewProcessName),
   is_system: is_system_session(SubjectLogonId)},
  eps => 0.0001)
GROUP BY 1
ORDER BY rarest, shapes DESC, process;
