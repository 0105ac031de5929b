-- Counts: the accounts behind the logons, without clustering.
--
-- The notebook ended with plain counts per account and logon type, to hold the clusters against.
--
-- Look for: counting alone puts whoever works little next to whoever broke in. The clusters have told them apart by what
-- the logons look like.

SELECT
  Account,
  logon_type_name(LogonType) AS logon,
  count(*) AS logons,
  count(DISTINCT Computer) AS computers,
  min(TimeGenerated) AS first_time,
  max(TimeGenerated) AS last_time
FROM 'sample/logons.parquet'
GROUP BY Account, LogonType
ORDER BY logons, Account, logon;
