-- Features: what clustering gets to see of a process.
--
-- These scripts follow, cell by cell, a notebook on clustering security events (msticpy's EventClustering). It turned
-- the text of each event into a few numbers, and so does process_features: how many delimiters the command line has
-- (commandlineTokensFull), the sum of the characters of the path (pathScore), whether the system ran it
-- (isSystemSession), and some more to choose from.
--
-- Look for: GUIDs, numbers and host names change the text of a command line, but hardly these numbers. That is why
-- they make repetitions fall together.

SELECT
  process_name(NewProcessName) AS process,
  commandlineTokensFull AS tokens,
  pathScore AS path,
  isSystemSession AS is_system,
  left(CommandLine, 70) AS command_line
FROM process_features('sample/processes.parquet')
ORDER BY TimeGenerated
LIMIT 12;
