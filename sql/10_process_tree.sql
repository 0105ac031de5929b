-- The process tree: who started the odd process, and what did it start?
--
-- A collapse keeps one example of each cluster; the tree shows where that example stands. Marked are the exemplars of small
-- clusters and the odd events, with the size of their cluster. COPY writes one page into the current folder.
--
-- Look for: a marked process below a parent that has no business to start it.

COPY (
  SELECT m.*, process_name(m.NewProcessName) AS process,
         CASE WHEN m.cluster_id = -1 THEN 1 ELSE sizes.events END AS events,
         m.cluster_id = -1 OR sizes.events <= 2 AS is_rare
  FROM dbcluster_members('sample/process_tree.parquet', [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.0001) m
  LEFT JOIN (
    SELECT cluster_id, count(*) AS events
    FROM dbcluster_members('sample/process_tree.parquet', [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.0001)
    GROUP BY cluster_id) sizes ON m.cluster_id = sizes.cluster_id)
TO 'tree.html' STORED AS TREE
OPTIONS (id 'NewProcessId', parent 'ProcessId', host 'Computer', time 'TimeGenerated', label 'process', detail 'CommandLine',
         size 'events', mark 'is_rare', title 'Processes of one session');
