-- Why: what keeps an odd event away from all clusters?
--
-- dbcluster_why gives every noise event the cluster that is nearest to it, and the differences to its nearest member. The eps is
-- the last one before clusters chain into one; a script with another eps is a number away, and dbcluster_eps shows what each would
-- give.
--
-- Look for: the events that are many times eps away, and the feature in which they differ: a path that no other program has, or
-- far more delimiters than the program ever takes.

SELECT
  eps,
  clusters,
  noise,
  round(largest_share, 3) AS largest_share,
  is_auto
FROM dbcluster_eps('sample/processes.parquet', [cmdline_tokens(CommandLine), path_score(NewProcessName)], steps => 8)
ORDER BY eps;

SELECT
  round(distance_in_eps, 1) AS distance_in_eps,
  joins_at_eps,
  tokens_difference,
  path_difference,
  left(cmdline_template(CommandLine), 60) AS template,
  left(cmdline_template("nearest_CommandLine"), 60) AS nearest
FROM dbcluster_why(
  'sample/processes.parquet',
  {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)},
  eps => 'auto',
  show => CommandLine)
ORDER BY distance_in_eps DESC, template
LIMIT 20;
