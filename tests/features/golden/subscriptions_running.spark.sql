SELECT
  account_no,
  slot,
  gone,
  seen,
  CAST(SUM(m0) AS BIGINT) AS m0,
  CAST(COUNT(m0) AS BIGINT) AS m0_n,
  CAST(SUM(m1) AS BIGINT) AS m1,
  CAST(COUNT(m1) AS BIGINT) AS m1_n,
  CAST(SUM(m2) AS BIGINT) AS m2,
  CAST(COUNT(m2) AS BIGINT) AS m2_n,
  CAST(COUNT(m3) AS BIGINT) AS m3,
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
    CASE
      WHEN ended_at__known < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN ended_at__known < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 0
        ELSE 1
      END
      ELSE 2
    END AS gone,
    CASE WHEN (
      paid
    ) THEN CAST(ROUND(CAST(mrr AS DOUBLE) * 1000000) AS BIGINT) END AS m0,
    CASE
      WHEN (
        paid
      )
      THEN CAST(ROUND(CAST(list_price AS DOUBLE) * 1000000) AS BIGINT)
    END AS m1,
    CASE
      WHEN (
        paid
      )
      THEN CAST(ROUND(CAST(seats AS DOUBLE) * 1000000) AS BIGINT)
    END AS m2,
    CASE WHEN (
      paid
    ) THEN 1 END AS m3,
    CASE WHEN (
      paid
    ) THEN EPOCH_US(term_end) END AS m4
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
  gone,
  seen
