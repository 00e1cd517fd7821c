SELECT
  account_no,
  slot,
  seen,
  MIN(m0) AS m0,
  MAX(m1) AS m1,
  MAX(CASE WHEN NOT m2 IS NULL THEN STRUCT(moment AS t, m2 AS v) END) AS m2,
  MAX(CASE WHEN NOT m3 IS NULL THEN STRUCT(moment AS t, m3 AS v) END) AS m3,
  CAST(COUNT(m4) AS BIGINT) AS m4,
  CAST(SUM(m5) AS BIGINT) AS m5,
  CAST(COUNT(m5) AS BIGINT) AS m5_n
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
      WHEN event_time < CAST('2023-08-03 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN event_time < CAST('2023-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 0
          ELSE 1
        END
        ELSE CASE
          WHEN event_time < CAST('2023-07-03 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 2
          ELSE 3
        END
      END
      ELSE CASE
        WHEN event_time < CAST('2023-11-02 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-10-02 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 4
          ELSE 5
        END
        ELSE 6
      END
    END AS slot,
    CASE WHEN (
      paid
    ) THEN EPOCH_US(started_at) END AS m0,
    CASE WHEN (
      paid
    ) THEN EPOCH_US(started_at) END AS m1,
    CASE WHEN (
      paid
    ) THEN plan END AS m2,
    CASE WHEN (
      paid
    ) THEN billing_period END AS m3,
    CASE WHEN (
      paid
    ) THEN 1 END AS m4,
    CASE
      WHEN (
        paid
      )
      THEN CAST(ROUND(CAST(list_price AS DOUBLE) * 1000000) AS BIGINT)
    END AS m5,
    EPOCH_US(event_time) AS moment
  FROM subscriptions
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
