SELECT scope._no AS account_no,
  CAST(CASE WHEN known_at < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN known_at < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS SMALLINT) AS seen0,
  CAST(CASE WHEN event_time < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS SMALLINT) AS slot0,
  segment AS v0,
  epoch_us(event_time) AS v1,
  industry AS v2,
  country AS v3,
  CAST(round(CAST(employees AS DOUBLE) * 1000000) AS BIGINT) AS v4,
  epoch_us(created_at) AS v5,
  CAST(round(CAST(YEAR(created_at) AS DOUBLE) * 1000000) AS BIGINT) AS v6,
  CAST(round(CAST(MONTH(created_at) AS DOUBLE) * 1000000) AS BIGINT) AS v7
FROM accounts JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000'
