-- What hides: which programs does a collapsed row not show?
--
-- A cluster's row is its first event. distinct_of counts what else is in it, and activity when its events happened. dbcluster_values
-- lists the values that no row shows, the rarest first. With the program among the keys of partition_by none can hide, and
-- template_of tells what the command lines of each cluster have in common.
--
-- Look for: clusters of many programs, and programs of one or two events that stand in the cluster of another one.

SELECT
  cluster_id,
  cluster_size,
  "distinct_NewProcessName" AS programs,
  "distinct_Computer" AS hosts,
  sparkline(activity) AS activity,
  NewProcessName AS shown
FROM dbcluster(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)},
  eps => 'auto',
  distinct_of => [NewProcessName, Computer],
  activity => 24)
WHERE clustered
ORDER BY programs DESC, cluster_size DESC, cluster_id
LIMIT 20;

SELECT cluster_id, value AS program, events, round(share, 4) AS share, round(lift, 1) AS lift
FROM dbcluster_values(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)},
  eps => 'auto',
  of => {program: cmdline_template(process_name(NewProcessName))})
WHERE NOT shown
ORDER BY events, program, cluster_id
LIMIT 20;

SELECT cluster_size, "distinct_CommandLine" AS lines, left("CommandLine_template", 90) AS template
FROM dbcluster(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine), delimiters: delim_hash(CommandLine)},
  eps => 0.0001,
  partition_by => process_name(NewProcessName),
  template_of => CommandLine,
  distinct_of => CommandLine)
WHERE clustered
ORDER BY cluster_size DESC, template
LIMIT 20;
