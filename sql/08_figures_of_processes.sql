-- Figures of processes: what do the sizes, the features, the clusters, eps and the times look like?
--
-- The notebook's bar chart of cluster sizes, its two box plots, its cluster map, and its timeline of clusters over all
-- events; and the curve that tells which eps to take. Each COPY writes one page into the current folder; open it in any
-- browser.
--
-- Look for: in the map the small marks far from all others; in the boxes the dots beyond the whiskers; in the curve the
-- place where the largest cluster begins to swallow the others.

-- Cluster sizes by process, clusters of more than one event.
COPY (
  SELECT process_name(NewProcessName) AS process, cluster_size, CommandLine, first_event_time, last_event_time
  FROM dbcluster('sample/processes.parquet',
                 [cmdline_tokens(CommandLine), path_score(NewProcessName), is_system_session(SubjectLogonId)], eps => 0.0001)
  ORDER BY cluster_size DESC, process)
TO 'sizes.html' STORED AS BAR OPTIONS (x 'process', y 'cluster_size', cut_off '1', title 'Cluster sizes by process');

-- How much the command lines of a process vary. The template of a name is without its version; equal events are counted,
-- so that any number of them makes a small page.
COPY (
  SELECT cmdline_template(process_name(NewProcessName)) AS process, cmdline_tokens(CommandLine) AS tokens, count(*) AS events
  FROM 'sample/processes.parquet'
  GROUP BY process, tokens)
TO 'tokens.html' STORED AS BOX
OPTIONS (x 'tokens', y 'process', weight 'events', title 'Delimiters in command lines by process');

-- How much the paths of a process vary, system sessions apart.
COPY (
  SELECT cmdline_template(process_name(NewProcessName)) AS process, path_score(NewProcessName) AS path,
         CASE WHEN is_system_session(SubjectLogonId) THEN 'system' ELSE 'other' END AS session, count(*) AS events
  FROM 'sample/processes.parquet'
  GROUP BY process, path, session)
TO 'paths.html' STORED AS BOX
OPTIONS (x 'path', y 'process', color 'session', weight 'events', title 'Path scores by process and session');

-- The map of clusters, in the units of the features.
COPY (
  SELECT *, process_name(NewProcessName) AS process, CASE WHEN clustered THEN 'cluster' ELSE 'noise' END AS kind
  FROM dbcluster('sample/processes.parquet',
                 {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.0001)
  ORDER BY cluster_size DESC)
TO 'map.html' STORED AS SCATTER
OPTIONS (x 'tokens', y 'path', size 'cluster_size', label 'process', color 'kind', title 'Map of clusters');

-- The clusters and the noise at every eps, and the eps before clusters chain into one. The table is read once for all of them.
COPY (
  SELECT * FROM dbcluster_eps('sample/processes.parquet',
    [cmdline_tokens(CommandLine), path_score(NewProcessName), is_system_session(SubjectLogonId)]))
TO 'eps.html' STORED AS CURVE OPTIONS (eps '0.0001', title 'Which eps?');

-- The clusters over all events of the day, as two series.
COPY (
  SELECT TimeGenerated, 'exemplars' AS series, process_name(NewProcessName) AS process, CommandLine
  FROM dbcluster('sample/processes.parquet',
                 [cmdline_tokens(CommandLine), path_score(NewProcessName), is_system_session(SubjectLogonId)], eps => 0.0001)
  UNION ALL
  SELECT TimeGenerated, 'all events', process_name(NewProcessName), CommandLine FROM 'sample/processes.parquet')
TO 'timeline.html' STORED AS TIMELINE
OPTIONS (time 'TimeGenerated', series 'series', title 'Exemplars among all process events');

-- How long each cluster lasted, and when the odd events were.
COPY (
  SELECT *, process_name(NewProcessName) AS process, CASE WHEN clustered THEN 'cluster' ELSE 'noise' END AS kind
  FROM dbcluster('sample/processes.parquet',
                 {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.0001))
TO 'durations.html' STORED AS TIMELINE
OPTIONS (time 'first_event_time', end 'last_event_time', group_by 'process', series 'kind',
         tooltip 'process, CommandLine, cluster_size, first_event_time, last_event_time', title 'From the first to the last event');
