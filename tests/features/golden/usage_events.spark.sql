SELECT
  account_no,
  slot,
  seen,
  CAST(COUNT(m0) AS BIGINT) AS m0,
  CAST(SUM(m1) AS BIGINT) AS m1,
  CAST(COUNT(m1) AS BIGINT) AS m1_n,
  MAX(m2) AS m2,
  MIN(m3) AS m3,
  CAST(COUNT(m4) AS BIGINT) AS m4,
  CAST(COUNT(m5) AS BIGINT) AS m5,
  CAST(COUNT(m6) AS BIGINT) AS m6
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
      WHEN event_time < CAST('2023-12-04 00:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN event_time < CAST('2023-10-09 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-08-17 12:00:00.000000' AS TIMESTAMP_NTZ)
          THEN CASE
            WHEN event_time < CAST('2023-07-17 00:00:00.000000' AS TIMESTAMP_NTZ)
            THEN 0
            ELSE 1
          END
          ELSE 2
        END
        ELSE CASE
          WHEN event_time < CAST('2023-11-09 12:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 3
          ELSE 4
        END
      END
      ELSE CASE
        WHEN event_time < CAST('2024-01-04 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-12-25 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 5
          ELSE 6
        END
        ELSE CASE
          WHEN event_time < CAST('2024-01-25 12:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 7
          ELSE 8
        END
      END
    END AS slot,
    1 AS m0,
    CAST(ROUND(CAST(quantity AS DOUBLE) * 1000000) AS BIGINT) AS m1,
    EPOCH_US(event_time) AS m2,
    EPOCH_US(event_time) AS m3,
    CASE WHEN (
      event = 'login'
    ) THEN 1 END AS m4,
    CASE WHEN (
      event = 'export'
    ) THEN 1 END AS m5,
    CASE WHEN (
      event = 'share'
    ) THEN 1 END AS m6
  FROM usage_events
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
