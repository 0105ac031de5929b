-- Names that are no tables, and files that are none.

SELECT * FROM dbcluster('/nonexistent/x.parquet', [a], 1)
SELECT * FROM dbcluster('', [a], 1)
SELECT * FROM dbcluster('/no/such/folder/', [a], 1)
SELECT * FROM dbcluster('/etc/passwd', [a], 1)
SELECT * FROM dbcluster('*.nope', [a], 1)
SELECT * FROM dbcluster('s3://', [a], 1)
SELECT * FROM dbcluster('http://127.0.0.1:1/x.parquet', [a], 1)
SELECT * FROM dbcluster('file:///tmp/nope.csv', [a], 1)
SELECT * FROM dbcluster('t; DROP TABLE t', [a], 1)
SELECT * FROM dbcluster(information_schema.tables, [1], 1)
SELECT * FROM dbcluster(1, [a], 1)
SELECT * FROM dbcluster(NULL, [a], 1)
SELECT * FROM dbcluster([t], [a], 1)
SELECT * FROM ''
SELECT * FROM '/etc/passwd'
SELECT * FROM '/nonexistent/x.parquet'
SELECT * FROM dbcluster('no_such_bucket/', [a], 1)
SELECT * FROM dbcluster(' ', [a], 1)
SELECT * FROM dbcluster('s3://no bucket', [a], 1)
SELECT * FROM dbcluster('nope://x/y.csv', [a], 1)
