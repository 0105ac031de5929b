-- What happened around: what did the same host do just before and after an odd event?
--
-- dbcluster_around takes the rows of a table that are near given events in time. A row that is near several of them comes once, with
-- the distance to the nearest.
--
-- Look for: what started the odd event, and what it started: downloads before it, new accounts and deleted backups behind it.

SELECT
  "Computer",
  round(seconds_from_odd, 1) AS seconds,
  odd_events,
  left(CommandLine, 80) AS command
FROM dbcluster_around(
  'sample/processes.parquet',
  (
    SELECT * FROM dbcluster_why(
      'sample/processes.parquet',
      {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)},
      eps => 'auto')
    WHERE distance_in_eps > 30
  ),
  by => Computer,
  within => INTERVAL '10 minutes')
ORDER BY "Computer", odd_time, seconds_from_odd, command
LIMIT 40;
