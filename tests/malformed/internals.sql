-- Functions of the plans that nobody has to call, called.

SELECT dbcluster_feature(s, 'n', 'error') FROM t
SELECT dbcluster_feature(a, 'n', 'nope') FROM t
SELECT dbcluster_feature(a, s, s) FROM t
SELECT dbcluster_found(NULL)
SELECT dbcluster_kept([1])
SELECT dbcluster_kept(NULL)
SELECT dbcluster_key()
SELECT dbcluster_key('x')
SELECT dbcluster_key(1, [1])
SELECT dbcluster_same_vector(1.0)
SELECT dbcluster_same_vector(1.0, 'x')
SELECT dbcluster_tie('x')
SELECT dbcluster_tie(NULL, NULL)
SELECT dbcluster_smallest(a, 2) FROM t
SELECT dbcluster_smallest(named_struct('x', a), 0) FROM t
SELECT dbcluster_smallest(named_struct('x', a), a) FROM t
SELECT dbcluster_smallest(named_struct('x', a), 9223372036854775807) FROM t
SELECT dbcluster_smallest(DISTINCT named_struct('x', a), 2) FROM t
SELECT dbcluster_smallest(named_struct('x', a), 2) OVER (ORDER BY a) FROM t
SELECT dbcluster_smallest(named_struct('x', [a]), 2) FROM t
SELECT dbcluster_smallest(named_struct('x', MAP {'a':a}), 2) FROM t
