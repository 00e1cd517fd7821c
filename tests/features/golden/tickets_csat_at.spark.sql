SELECT
  account_no,
  slot,
  seen,
  CAST(SUM(m0) AS BIGINT) AS m0,
  CAST(COUNT(m0) AS BIGINT) AS m0_n,
  MAX(CASE WHEN NOT m1 IS NULL THEN STRUCT(moment AS t, m1 AS v) END) AS m1
FROM (
  SELECT
    scope.account_no,
    CASE
      WHEN (
        CASE
          WHEN known_at IS NULL OR csat_at__known IS NULL
          THEN NULL
          ELSE GREATEST(known_at, csat_at__known)
        END
      ) < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN (
          CASE
            WHEN known_at IS NULL OR csat_at__known IS NULL
            THEN NULL
            ELSE GREATEST(known_at, csat_at__known)
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
    CAST(ROUND(CAST(csat_score AS DOUBLE) * 1000000) AS BIGINT) AS m0,
    CAST(ROUND(CAST(csat_score AS DOUBLE) * 1000000) AS BIGINT) AS m1,
    EPOCH_US(event_time) AS moment
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
