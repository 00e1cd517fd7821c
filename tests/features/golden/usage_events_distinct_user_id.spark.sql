SELECT
  account_no,
  slot,
  member,
  MIN(seen) AS seen
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
    user_id AS member
  FROM usage_events
  JOIN feature_scope AS scope
    USING (account_id)
  WHERE
    known_at < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
    AND event_time >= CAST('2023-07-17 00:00:00.000000' AS TIMESTAMP_NTZ)
) AS placed
WHERE
  seen < 2 AND NOT member IS NULL
GROUP BY
  account_no,
  slot,
  member
