-- Logons: the same for who logged on, and how.
--
-- The notebook used two features: the sum of the characters of the account, and the type of the logon.
--
-- Look for: the small ones again. An administrator with a digit in the name, a guest on a remote desktop, a password
-- sent in clear text.

SELECT
  clustered,
  cluster_size,
  Account,
  logon_type_name(LogonType) AS logon,
  IpAddress,
  first_event_time,
  last_event_time
FROM dbcluster('sample/logons.parquet', [string_score(Account), LogonType], eps => 0.0001)
ORDER BY clustered, cluster_size, first_event_time;
