SELECT
  account_no,
  slot,
  seen,
  CAST(COUNT(m0) AS BIGINT) AS m0,
  CAST(COUNT(m1) AS BIGINT) AS m1,
  MAX(m2) AS m2
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
    CASE
      WHEN event_time < CAST('2023-11-09 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN event_time < CAST('2023-08-03 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-07-03 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN event_time < CAST('2023-10-09 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 2
          ELSE 3
        END
      END
      ELSE CASE
        WHEN event_time < CAST('2024-01-04 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-12-04 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 4
          ELSE 5
        END
        ELSE 6
      END
    END AS slot,
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
  seen
