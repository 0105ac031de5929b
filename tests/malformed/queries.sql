-- Calls in places where tables stand, and inputs of every kind.

SELECT * FROM dbcluster(dbcluster(t, [a], 1, scaling => 'none'), [cluster_size], 1)
SELECT * FROM dbcluster((SELECT * EXCEPT(clustered, cluster_id, cluster_size, cluster_key, first_event_time, last_event_time) FROM dbcluster(t, [a], 1, scaling => 'none')), [a], 5, scaling => 'none')
SELECT * FROM dbcluster(dbcluster_summary(t, [a], 1, scaling => 'none'), [clusters], 1)
SELECT * FROM dbcluster(generate_series(1, 10), [value], 1, scaling => 'none')
SELECT * FROM dbcluster(range(1, 10), [value], 1, scaling => 'none')
SELECT dbcluster(t, [a], 1)
SELECT (SELECT count(*) FROM dbcluster(t, [a], 1, scaling => 'none'))
SELECT * FROM t WHERE EXISTS (SELECT 1 FROM dbcluster(t, [a], 1, scaling => 'none') d WHERE d.a=t.a)
SELECT * FROM t WHERE a IN (SELECT a FROM dbcluster(t, [a], 1, scaling => 'none'))
SELECT * FROM t, LATERAL (SELECT * FROM dbcluster(t, [a], 1, scaling => 'none') d WHERE d.a=t.a) q
SELECT * FROM t o, LATERAL dbcluster((SELECT * FROM t WHERE t.a=o.a), [a], 1, scaling => 'none') q
SELECT (SELECT count(*) FROM dbcluster((SELECT * FROM t i WHERE i.a=o.a), [a], 1)) FROM t o
SELECT * FROM dbcluster(t, [a], 1, scaling => 'none') UNION SELECT * FROM dbcluster(t, [a], 2, scaling => 'none')
SELECT a FROM dbcluster(t, [a], 1, scaling => 'none') INTERSECT SELECT a FROM t
SELECT a FROM t EXCEPT SELECT a FROM dbcluster(t, [a], 1, scaling => 'none')
INSERT INTO t SELECT a, x, s, b, ts FROM dbcluster(t, [a], 1, scaling => 'none')
CREATE TABLE u AS SELECT * FROM dbcluster(t, [a], 1, scaling => 'none'); SELECT * FROM u
CREATE VIEW vv AS SELECT * FROM dbcluster(t, [a], 1, scaling => 'none'); INSERT INTO t VALUES (100, 1, 'z', true, NULL); SELECT a FROM vv ORDER BY a
COPY (SELECT * FROM dbcluster(t, [a], 1, scaling => 'none')) TO 'o1.csv'
COPY dbcluster(t, [a], 1) TO 'o2.csv'
COPY (SELECT 1 AS a, NULL AS b) TO 'o1.csv'; COPY (SELECT * FROM dbcluster('o1.csv', [a], 1, scaling => 'none')) TO 'o1.csv'
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n+1 FROM r WHERE n<10) SELECT * FROM dbcluster(r, [n], 1, scaling => 'none')
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n+1 FROM dbcluster(r, [n], 1, scaling => 'none') WHERE n<10) SELECT * FROM r
WITH w AS (SELECT * FROM t) SELECT * FROM dbcluster(w, [a], 1, scaling => 'none')
WITH t AS (SELECT 5 AS q) SELECT * FROM dbcluster(t, [q], 1, scaling => 'none')
WITH w AS (SELECT * FROM dbcluster(w, [a], 1)) SELECT * FROM w
WITH w AS MATERIALIZED (SELECT random() r) SELECT * FROM dbcluster(w, [r], 1)
SELECT * FROM "dbcluster"(t, [a], 1)
SELECT * FROM "DBCLUSTER"(t, [a], 1, scaling => 'none')
SELECT * FROM DbCluster(t, [a], 1, scaling => 'none')
SELECT * FROM public.dbcluster(t, [a], 1)
SELECT * FROM datafusion.public.t, dbcluster(datafusion.public.t, [a], 1, scaling => 'none')
SELECT * FROM dbcluster('t', [a], 1, scaling => 'none') AS d(q)
SELECT * FROM dbcluster(t, [a], 1, scaling => 'none') AS d(a, b, c, d, e, f, g, h, i, j, k)
SELECT d.* FROM dbcluster(t, [a], 1, scaling => 'none') d JOIN dbcluster_members(t, [a], 1, scaling => 'none') m ON d.cluster_id=m.cluster_id
SELECT * FROM dbcluster(t, [a], 1) TABLESAMPLE (10)
SELECT * FROM dbcluster(t, [a], 1, scaling => 'none') WITH ORDINALITY
SELECT * FROM dbcluster(t WHERE a>1, [a], 1)
SELECT * FROM dbcluster(t AS q, [a], 1)
SELECT * FROM dbcluster(SELECT * FROM t, [a], 1)
SELECT * FROM dbcluster((TABLE t), [a], 1, scaling => 'none')
SELECT * FROM dbcluster((VALUES (1), (2)), [column1], 1, scaling => 'none')
SELECT * FROM dbcluster((SELECT * FROM t LIMIT 2), [a], 1)
SELECT * FROM dbcluster((SELECT * FROM t ORDER BY a LIMIT 2), [a], 1, scaling => 'none')
SELECT * FROM dbcluster((SELECT *, random() r FROM t), [a], 1)
SELECT * FROM dbcluster((SELECT *, uuid() r FROM t), [a], 1)
SELECT * FROM dbcluster((SELECT *, now() r FROM t), [a], 1, scaling => 'none')
SELECT * FROM dbcluster((SHOW TABLES), [a], 1)
SELECT * FROM dbcluster((SELECT 1 AS a INTO x), [a], 1)
SELECT * FROM dbcluster((DELETE FROM t), [a], 1)
EXPLAIN ANALYZE SELECT * FROM dbcluster(t, [a], 1, scaling => 'none')
EXPLAIN VERBOSE SELECT count(*) FROM dbcluster_members(t, [a], 1, scaling => 'none')
EXPLAIN FORMAT PGJSON SELECT * FROM dbcluster(t, [a], 1)
EXPLAIN FORMAT GRAPHVIZ SELECT * FROM dbcluster(t, [a], 1)
DESCRIBE SELECT * FROM dbcluster(t, [a], 1)
CREATE VIEW v AS SELECT 1 AS a; SELECT (SELECT count(*) FROM v), * FROM dbcluster(v, [b], 1)
WITH t AS (SELECT 5 AS q) SELECT * FROM dbcluster(t, [a], 1)
SELECT * FROM dbcluster(a.b.c.d, [a], 1)
SELECT * FROM dbcluster(nope.t, [a], 1)
SELECT * FROM dbcluster((SELECT nope FROM t), [a], 1)
SELECT * FROM dbcluster((SELECT * FROM nope), [a], 1)
SELECT a FROM t WHERE row_number() OVER () = 1
SELECT a FROM t GROUP BY dbscan(1, 2, a) OVER ()
SELECT a FROM t HAVING dbscan(1, 2, a) OVER () = 0
SELECT * FROM t t1 JOIN t t2 ON dbscan(1, 2, t1.a) OVER () = t2.a
SELECT * FROM t ORDER BY dbscan(1, 2, a) OVER ()
SELECT a FROM t WHERE sum(a) > 1
UPDATE t SET a = dbscan(1, 2, a) OVER ()
