-- Figures: what do the sizes, the features, the clusters and the times look like?
--
-- The notebook's bar chart of cluster sizes, its two box plots, its cluster map and its timeline. Each COPY writes one page into the current
-- folder; open it in any browser.
--
-- Look for: in the map the small marks far from all others; in the boxes the dots beyond the whiskers.

-- Cluster sizes by process, clusters of more than one event.
COPY (
  SELECT process_name(NewProcessName) AS process, cluster_size, CommandLine, first_event_time, last_event_time
  FROM dbcluster('sample/processes.parquet',
                 [cmdline_tokens(CommandLine), path_score(NewProcessName), is_system_session(SubjectLogonId)], eps => 0.0001)
  WHERE cluster_size > 1
  ORDER BY cluster_size DESC, process
  LIMIT 60)
TO 'sizes.html' STORED AS BAR OPTIONS (x 'process', y 'cluster_size', title 'Cluster sizes by process');

-- How much the command lines of a process vary. The template of a name is without its version.
COPY (
  SELECT cmdline_template(process_name(NewProcessName)) AS process, cmdline_tokens(CommandLine) AS tokens, CommandLine
  FROM 'sample/processes.parquet')
TO 'tokens.html' STORED AS BOX OPTIONS (x 'tokens', y 'process', title 'Delimiters in command lines by process');

-- How much the paths of a process vary, system sessions apart.
COPY (
  SELECT cmdline_template(process_name(NewProcessName)) AS process, path_score(NewProcessName) AS path,
         CASE WHEN is_system_session(SubjectLogonId) THEN 'system' ELSE 'other' END AS session, NewProcessName
  FROM 'sample/processes.parquet')
TO 'paths.html' STORED AS BOX OPTIONS (x 'path', y 'process', color 'session', title 'Path scores by process and session');

-- The map of clusters.
COPY (
  SELECT *, process_name(NewProcessName) AS process, CASE WHEN clustered THEN 'cluster' ELSE 'noise' END AS kind
  FROM dbcluster('sample/processes.parquet',
                 {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.0001)
  ORDER BY cluster_size DESC)
TO 'map.html' STORED AS SCATTER
OPTIONS (x 'tokens', y 'path', size 'cluster_size', label 'process', color 'kind', title 'Map of clusters');

-- When the odd events happened, by process.
COPY (
  SELECT *, process_name(NewProcessName) AS process
  FROM dbcluster('sample/processes.parquet',
                 {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.0001)
  WHERE NOT clustered)
TO 'odd.html' STORED AS TIMELINE OPTIONS (time 'TimeGenerated', group_by 'process', title 'Odd events by process');
