SELECT
  account_no,
  slot,
  gone,
  seen,
  CAST(COUNT(m0) AS BIGINT) AS m0,
  CAST(COUNT(m1) AS BIGINT) AS m1,
  MIN(m2) AS m2
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
    CASE
      WHEN resolved_at__known < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN resolved_at__known < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 0
        ELSE 1
      END
      ELSE 2
    END AS gone,
    1 AS m0,
    CASE WHEN (
      LOWER(priority) IN ('urgent', 'high', 'critical', 'p1')
    ) THEN 1 END AS m1,
    EPOCH_US(event_time) AS m2
  FROM tickets
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
  gone,
  seen
