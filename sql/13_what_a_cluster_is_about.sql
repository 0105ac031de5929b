-- What a cluster is about: which accounts, hosts and parents set it apart?
--
-- lift is how much more frequent a value is in the cluster than in all events. The exemplar shows one value of each column;
-- a lift of 10 says that the cluster is about this one.
--
-- Look for: small clusters that belong to one account or one host, and parents that start nothing else.

SELECT cluster_id, "column", value, events, round(share, 2) AS share, round(lift, 1) AS lift
FROM dbcluster_values(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)},
  eps => 'auto',
  of => [Account, Computer, {parent: process_name(ParentProcessName)}],
  top => 1)
WHERE share > 0.5
ORDER BY lift DESC, cluster_id, "column", value
LIMIT 20;
