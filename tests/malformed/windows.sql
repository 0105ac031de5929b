-- The window functions.

SELECT dbscan(1, 2, a) FROM t
SELECT dbscan() OVER () FROM t
SELECT dbscan(1, 2) OVER () FROM t
SELECT dbscan(1, 2, s) OVER () FROM t
SELECT dbscan(a, 2, a) OVER () FROM t
SELECT dbscan(1, 2, a, {nope:1}) OVER () FROM t
SELECT dbscan(1, 2, a, {weights:[1, 2]}) OVER () FROM t
SELECT dbscan(1, 2, a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT dbscan(1, 2, a) OVER (PARTITION BY s ORDER BY ts DESC NULLS FIRST) FROM t
SELECT dbscan(1, 2, a) FILTER (WHERE a>1) OVER () FROM t
SELECT dbscan(DISTINCT 1, 2, a) OVER () FROM t
SELECT dbscan(1, 2, a) IGNORE NULLS OVER () FROM t
SELECT dbscan(1, 2, 'nan'::double) OVER () FROM t
SELECT dbscan(1, 2, 9007199254740993) OVER () FROM t
SELECT sum(dbscan(1, 2, a) OVER ()) OVER () FROM t
SELECT dbscan(1, 2, dbscan(1, 2, a) OVER ()) OVER () FROM t
SELECT a FROM t WHERE dbscan(1, 2, a) OVER () = 0
SELECT a FROM t QUALIFY dbscan(1, 2, a) OVER () = 0
SELECT a, count(*), dbscan(1, 2, a) OVER () FROM t GROUP BY a
SELECT dbscan(1, 2, sum(a)) OVER () FROM t GROUP BY s
SELECT dbscan(1, 2, a) OVER w, dbscan(2, 2, a) OVER w FROM t WINDOW w AS (PARTITION BY b)
SELECT dbscan(1 / 0, 2, a) OVER () FROM t
SELECT dbscan(1, -5, a) OVER () FROM t
SELECT dbscan(1, 2, NULL) OVER () FROM t
SELECT dbscan(1, 2, a, {metric: 'manhattan', metric: 'euclidean'}) OVER () FROM t
SELECT dbscan(1, 2, a, {weights: []}) OVER () FROM t
SELECT dbscan(1, 2, a, {weights: [NULL]}) OVER () FROM t
SELECT dbscan(1, 2, a, {metric: NULL}) OVER () FROM t
SELECT dbscan('x', 2, a) OVER () FROM t
SELECT dbscan(1, 2, a + s) OVER () FROM t
SELECT dbscan(eps => 1, min_samples => 2) OVER () FROM t
SELECT dbscan(1, 2, a) OVER (ORDER BY x'ff') FROM t
SELECT dbscan(1, 2, a) OVER (ORDER BY ts - ts) FROM t
SELECT dbscan(1, 2, a) OVER (ORDER BY {q: a}) FROM t
SELECT dbscan(1, 2, a) OVER (PARTITION BY MAP {'a': a}) FROM t
SELECT dbscan(1, 2, {q: a}) OVER () FROM t
