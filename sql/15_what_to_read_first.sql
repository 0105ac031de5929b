-- What to read first: which events are the most unusual, and why?
--
-- hunt_processes asks how unusual a command is for its program, in which form it is written and what it touches. It knows no attack.
-- Near-repeats are one row; events is how many it stands for.
--
-- Look for: reasons that don't belong together, and parents that you would not expect.

SELECT
  round(score, 1) AS score,
  subject,
  left("CommandLine", 80) AS command_line,
  events,
  hosts,
  array_to_string(reasons, '; ') AS reasons
FROM hunt_processes('sample/processes.parquet')
LIMIT 20;
