SELECT
  account_no,
  slot,
  seen,
  CAST(SUM(m0) AS BIGINT) AS m0,
  CAST(COUNT(m0) AS BIGINT) AS m0_n
FROM (
  SELECT
    scope.account_no,
    CASE
      WHEN (
        CASE
          WHEN known_at IS NULL OR first_responded_at__known IS NULL
          THEN NULL
          ELSE GREATEST(known_at, first_responded_at__known)
        END
      ) < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN (
          CASE
            WHEN known_at IS NULL OR first_responded_at__known IS NULL
            THEN NULL
            ELSE GREATEST(known_at, first_responded_at__known)
          END
        ) < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 0
        ELSE 1
      END
      ELSE 2
    END AS seen,
    CASE
      WHEN event_time < CAST('2023-10-09 00:00:00.000000' AS TIMESTAMP_NTZ)
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
        WHEN event_time < CAST('2023-11-09 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 3
        ELSE 4
      END
    END AS slot,
    CAST(ROUND(
      CAST(DATEDIFF(SECOND, opened_at, first_responded_at) / 3600.0 AS DOUBLE) * 1000000
    ) AS BIGINT) AS m0
  FROM tickets
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
