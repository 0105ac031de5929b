-- Figures of logons: who, how, when, and what else happened at that time?
--
-- The notebook's logon cards, its timeline of two series with a line at an alert, its timeline by account, and the two
-- timelines that it asked the reader to align by hand: here their times are linked, zoom one and the other follows. Each
-- COPY writes one page into the current folder.
--
-- Look for: cards of a single event; accounts with one mark; what the process tree did just before and after a logon.

-- A card for each cluster and each odd logon, the rarest first.
COPY (
  SELECT * FROM dbcluster('sample/logons.parquet', [string_score(Account), LogonType], eps => 0.0001)
  ORDER BY cluster_size, first_event_time
  LIMIT 60)
TO 'cards.html' STORED AS CARDS OPTIONS (title 'The rarest logons');

-- Two series: the exemplars, and all logons. A line stands at the first odd event.
COPY (
  WITH collapsed AS (
    SELECT TimeGenerated, Account, LogonType, clustered
    FROM dbcluster('sample/logons.parquet', [string_score(Account), LogonType], eps => 0.0001)),
  first_odd AS (SELECT min(TimeGenerated) AS at FROM collapsed WHERE NOT clustered)
  SELECT TimeGenerated, 'exemplars' AS series, Account, logon_type_name(LogonType) AS logon,
         CASE WHEN TimeGenerated = at THEN 'first odd logon' END AS reference
  FROM collapsed CROSS JOIN first_odd
  UNION ALL
  SELECT TimeGenerated, 'all logons', Account, logon_type_name(LogonType), NULL FROM 'sample/logons.parquet')
TO 'logons.html' STORED AS TIMELINE
OPTIONS (time 'TimeGenerated', series 'series', ref_event 'reference', tooltip 'TimeGenerated, Account, logon',
         title 'Exemplars among all logons');

-- The exemplars by account.
COPY (
  SELECT *, logon_type_name(LogonType) AS logon
  FROM dbcluster('sample/logons.parquet', [string_score(Account), LogonType], eps => 0.0001)
  WHERE cluster_size < 10)
TO 'accounts.html' STORED AS TIMELINE
OPTIONS (time 'TimeGenerated', group_by 'Account', series 'logon', title 'Rare logons by account');

-- Two timelines with linked times: rare logons, and the processes of one session.
COPY (
  SELECT TimeGenerated, 'rare logons' AS events, Account AS who, logon_type_name(LogonType) AS what
  FROM dbcluster('sample/logons.parquet', [string_score(Account), LogonType], eps => 0.0001)
  WHERE cluster_size < 10
  UNION ALL
  SELECT TimeGenerated, 'processes of one session', process_name(NewProcessName), CommandLine FROM 'sample/process_tree.parquet')
TO 'linked.html' STORED AS TIMELINE
OPTIONS (time 'TimeGenerated', panel 'events', group_by 'who', title 'Logons and processes side by side');
