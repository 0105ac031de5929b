-- Drilling down: all shapes of one program.
--
-- The notebook picked one process name and showed its rows of the collapsed set, the rare beside the frequent.
--
-- Look for: the reg.exe that adds a Run key, to start again with the next logon, beside the one that reads a value all
-- day long. A cluster shows its first event only: what is ordinary may stand under another program's name.

SELECT
  clustered,
  cluster_size,
  left(CommandLine, 60) AS command_line,
  process_name(ParentProcessName) AS parent,
  first_event_time,
  last_event_time
FROM dbcluster(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine),
   path: path_score(NewProcessName),
   is_system: is_system_session(SubjectLogonId)},
  eps => 0.0001)
WHERE process_name(NewProcessName) = 'reg.exe'
ORDER BY cluster_size, first_event_time;
