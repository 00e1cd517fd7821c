SELECT
  account_no,
  slot,
  seen,
  CAST(COUNT(m0) AS BIGINT) AS m0,
  CAST(SUM(m1) AS BIGINT) AS m1,
  CAST(COUNT(m1) AS BIGINT) AS m1_n
FROM (
  SELECT
    scope.account_no,
    CASE
      WHEN (
        CASE
          WHEN known_at IS NULL OR paid_at__known IS NULL
          THEN NULL
          ELSE GREATEST(known_at, paid_at__known)
        END
      ) < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN (
          CASE
            WHEN known_at IS NULL OR paid_at__known IS NULL
            THEN NULL
            ELSE GREATEST(known_at, paid_at__known)
          END
        ) < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 0
        ELSE 1
      END
      ELSE 2
    END AS seen,
    CASE
      WHEN event_time < CAST('2023-10-02 00:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN event_time < CAST('2023-08-03 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-07-03 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 0
          ELSE 1
        END
        ELSE 2
      END
      ELSE CASE
        WHEN event_time < CAST('2023-11-02 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 3
        ELSE 4
      END
    END AS slot,
    CASE WHEN (
      paid_at > due_at
    ) THEN 1 END AS m0,
    CAST(ROUND(CAST(DATEDIFF(SECOND, issued_at, paid_at) / 86400.0 AS DOUBLE) * 1000000) AS BIGINT) AS m1
  FROM invoices
  JOIN feature_scope AS scope
    USING (account_id)
  WHERE
    known_at < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
    AND event_time >= CAST('2023-07-03 00:00:00.000000' AS TIMESTAMP_NTZ)
) AS placed
WHERE
  seen < 2
GROUP BY
  account_no,
  slot,
  seen
