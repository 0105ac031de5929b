-- Members: what is inside a cluster?
--
-- dbcluster_members labels every event instead of collapsing them. The notebook did this by hand, joining a cluster's
-- label back to the events.
--
-- Look for: whether the events of the smallest cluster really are the same thing. The template masks what changes from
-- run to run, so that it shows at a glance.

WITH members AS (
  SELECT *
  FROM dbcluster_members(
    'sample/processes.parquet',
    {tokens: cmdline_tokens(CommandLine),
     path: path_score(NewProcessName),
     is_system: is_system_session(SubjectLogonId)},
    eps => 0.0001)
)
SELECT
  cluster_id,
  point_type,
  TimeGenerated,
  Computer,
  left(cmdline_template(CommandLine), 80) AS template
FROM members
WHERE cluster_id = (
  SELECT cluster_id FROM members WHERE cluster_id >= 0 GROUP BY cluster_id ORDER BY count(*), cluster_id LIMIT 1)
ORDER BY TimeGenerated
LIMIT 12;
