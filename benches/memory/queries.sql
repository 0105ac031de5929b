-- What is asked at each memory limit, by run.py and by the tests: each query after a line with its name. EVENTS is the file
-- of process events of a sample. Each answer is one row that every row of the result and every column of it plays a part in.

-- name: all
SELECT count(*) AS n, sum(cluster_size) AS size, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, Account,
  NewProcessName, CommandLine, ParentProcessName, NewProcessId, ProcessId, anomaly_kind, cluster_id::varchar,
  cluster_size::varchar, first_event_time::varchar, last_event_time::varchar, cluster_key))) AS rows
FROM dbcluster('EVENTS', {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName),
  is_system: is_system_session(SubjectLogonId)}, eps => 0.0001);

-- name: distinct
SELECT count(*) AS n, sum(cluster_size) AS size, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, Account,
  NewProcessName, CommandLine, ParentProcessName, NewProcessId, ProcessId, anomaly_kind, cluster_id::varchar,
  cluster_size::varchar, first_event_time::varchar, last_event_time::varchar, cluster_key))) AS rows
FROM dbcluster('EVENTS', [crc32_hash(CommandLine)], eps => 1, scaling => 'none');

-- name: partition
SELECT count(*) AS n, sum(cluster_size) AS size, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, Account,
  NewProcessName, CommandLine, ParentProcessName, NewProcessId, ProcessId, anomaly_kind, cluster_id::varchar,
  cluster_size::varchar, first_event_time::varchar, last_event_time::varchar, cluster_key))) AS rows
FROM dbcluster('EVENTS', {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName),
  is_system: is_system_session(SubjectLogonId)}, eps => 0.0001, partition_by => Computer);

-- name: keep
SELECT count(*) AS n, sum(cluster_size) AS size, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, Account,
  NewProcessName, CommandLine, ParentProcessName, NewProcessId, ProcessId, anomaly_kind, cluster_id::varchar,
  cluster_size::varchar, first_event_time::varchar, last_event_time::varchar, cluster_key))) AS rows,
  bit_xor(crc32_hash(array_to_string(CommandLine_members, '|'))) AS members
FROM dbcluster('EVENTS', {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName),
  is_system: is_system_session(SubjectLogonId)}, eps => 0.0001, keep_members => {CommandLine: 5});

-- name: medoid
SELECT count(*) AS n, sum(cluster_size) AS size, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, Account,
  NewProcessName, CommandLine, ParentProcessName, NewProcessId, ProcessId, anomaly_kind, cluster_id::varchar,
  cluster_size::varchar, first_event_time::varchar, last_event_time::varchar, cluster_key))) AS rows
FROM dbcluster('EVENTS', [crc32_hash(CommandLine), cmdline_tokens(CommandLine)], eps => 100000, scaling => 'none',
  exemplar => 'medoid');

-- name: members
SELECT count(*) AS n, sum(cluster_id) AS ids, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, CommandLine,
  cluster_id::varchar, cluster_key, point_type))) AS rows
FROM dbcluster_members('EVENTS', {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName),
  is_system: is_system_session(SubjectLogonId)}, eps => 0.0001);

-- name: two windows
SELECT sum(a) AS a, sum(b) AS b, count(*) AS n
FROM (SELECT dbscan(0.5, 2, x) OVER () AS a, dbscan(1000.0, 2, x) OVER () AS b
      FROM (SELECT crc32_hash(CommandLine) AS x FROM 'EVENTS'));

-- name: one window
SELECT sum(a) AS a, count(*) AS n
FROM (SELECT dbscan(0.5, 2, x) OVER () AS a FROM (SELECT crc32_hash(CommandLine) AS x FROM 'EVENTS'));

-- name: partition by text
SELECT count(*) AS n, sum(cluster_size) AS size, bit_xor(crc32_hash(concat_ws('|', TimeGenerated::varchar, Computer, Account,
  NewProcessName, CommandLine, ParentProcessName, NewProcessId, ProcessId, anomaly_kind, cluster_id::varchar,
  cluster_size::varchar, first_event_time::varchar, last_event_time::varchar, cluster_key))) AS rows
FROM dbcluster('EVENTS', [path_score(NewProcessName)], eps => 1, scaling => 'none', partition_by => CommandLine);
