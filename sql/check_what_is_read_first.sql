-- The truth: at which places of the hunt do the planted processes stand?
--
-- The hunt never looks at the columns that tell the truth (is_anomaly, anomaly_kind).

WITH ranked AS (
  SELECT subject, text_template, min(place) AS place
  FROM (SELECT *, row_number() OVER (ORDER BY score DESC, subject, text_template, events, reasons) AS place
        FROM hunt_processes('sample/processes.parquet'))
  GROUP BY subject, text_template
)
SELECT
  e.anomaly_kind,
  count(*) AS planted,
  count(*) FILTER (WHERE place <= 20) AS in_first_20,
  count(*) FILTER (WHERE place <= 50) AS in_first_50,
  max(place) AS last_place
FROM 'sample/processes.parquet' AS e
JOIN ranked AS r
  ON r.subject = lower(process_name(e.NewProcessName))
 AND r.text_template IS NOT DISTINCT FROM cmdline_template(e.CommandLine)
WHERE e.is_anomaly
GROUP BY e.anomaly_kind
ORDER BY last_place, anomaly_kind;
