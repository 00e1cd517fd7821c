SELECT
  account_no,
  slot,
  seen,
  MAX(CASE WHEN NOT m0 IS NULL THEN STRUCT(moment AS t, m0 AS v) END) AS m0,
  MAX(CASE WHEN NOT m1 IS NULL THEN STRUCT(moment AS t, m1 AS v) END) AS m1,
  MAX(CASE WHEN NOT m2 IS NULL THEN STRUCT(moment AS t, m2 AS v) END) AS m2,
  MAX(CASE WHEN NOT m3 IS NULL THEN STRUCT(moment AS t, m3 AS v) END) AS m3,
  MIN(m4) AS m4
FROM (
  SELECT
    scope.account_no,
    CASE
      WHEN known_at < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN known_at < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 0
        ELSE 1
      END
      ELSE 2
    END AS seen,
    0 AS slot,
    segment AS m0,
    industry AS m1,
    country AS m2,
    CAST(ROUND(CAST(employees AS DOUBLE) * 1000000) AS BIGINT) AS m3,
    EPOCH_US(created_at) AS m4,
    EPOCH_US(event_time) AS moment
  FROM accounts
  JOIN feature_scope AS scope
    USING (account_id)
  WHERE
    known_at < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
) AS placed
WHERE
  seen < 2
GROUP BY
  account_no,
  slot,
  seen
