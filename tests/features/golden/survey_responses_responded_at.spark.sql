SELECT
  account_no,
  slot,
  seen,
  MAX(CASE WHEN NOT m0 IS NULL THEN STRUCT(moment AS t, m0 AS v) END) AS m0,
  CAST(SUM(m1) AS BIGINT) AS m1,
  CAST(COUNT(m1) AS BIGINT) AS m1_n,
  MAX(m2) AS m2,
  MAX(CASE WHEN NOT m3 IS NULL THEN STRUCT(moment AS t, m3 AS v) END) AS m3,
  CAST(SUM(m4) AS BIGINT) AS m4,
  CAST(COUNT(m4) AS BIGINT) AS m4_n,
  MAX(m5) AS m5,
  MAX(CASE WHEN NOT m6 IS NULL THEN STRUCT(moment AS t, m6 AS v) END) AS m6,
  CAST(SUM(m7) AS BIGINT) AS m7,
  CAST(COUNT(m7) AS BIGINT) AS m7_n,
  MAX(m8) AS m8,
  CAST(COUNT(m9) AS BIGINT) AS m9,
  CAST(COUNT(m10) AS BIGINT) AS m10
FROM (
  SELECT
    scope.account_no,
    CASE
      WHEN (
        CASE
          WHEN known_at IS NULL OR responded_at__known IS NULL
          THEN NULL
          ELSE GREATEST(known_at, responded_at__known)
        END
      ) < CAST('2024-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN (
          CASE
            WHEN known_at IS NULL OR responded_at__known IS NULL
            THEN NULL
            ELSE GREATEST(known_at, responded_at__known)
          END
        ) < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 0
        ELSE 1
      END
      ELSE 2
    END AS seen,
    CASE
      WHEN event_time < CAST('2023-07-03 00:00:00.000000' AS TIMESTAMP_NTZ)
      THEN CASE
        WHEN event_time < CAST('2023-02-01 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN CASE
          WHEN event_time < CAST('2023-01-01 00:00:00.000000' AS TIMESTAMP_NTZ)
          THEN 0
          ELSE 1
        END
        ELSE 2
      END
      ELSE CASE
        WHEN event_time < CAST('2023-08-03 12:00:00.000000' AS TIMESTAMP_NTZ)
        THEN 3
        ELSE 4
      END
    END AS slot,
    CASE
      WHEN (
        LOWER(survey_type) = 'nps'
      )
      THEN CAST(ROUND(CAST(score AS DOUBLE) * 1000000) AS BIGINT)
    END AS m0,
    CASE
      WHEN (
        LOWER(survey_type) = 'nps'
      )
      THEN CAST(ROUND(CAST(score AS DOUBLE) * 1000000) AS BIGINT)
    END AS m1,
    CASE WHEN (
      LOWER(survey_type) = 'nps'
    ) THEN EPOCH_US(responded_at) END AS m2,
    CASE
      WHEN (
        LOWER(survey_type) = 'csat'
      )
      THEN CAST(ROUND(CAST(score AS DOUBLE) * 1000000) AS BIGINT)
    END AS m3,
    CASE
      WHEN (
        LOWER(survey_type) = 'csat'
      )
      THEN CAST(ROUND(CAST(score AS DOUBLE) * 1000000) AS BIGINT)
    END AS m4,
    CASE WHEN (
      LOWER(survey_type) = 'csat'
    ) THEN EPOCH_US(responded_at) END AS m5,
    CASE
      WHEN (
        LOWER(survey_type) = 'ces'
      )
      THEN CAST(ROUND(CAST(score AS DOUBLE) * 1000000) AS BIGINT)
    END AS m6,
    CASE
      WHEN (
        LOWER(survey_type) = 'ces'
      )
      THEN CAST(ROUND(CAST(score AS DOUBLE) * 1000000) AS BIGINT)
    END AS m7,
    CASE WHEN (
      LOWER(survey_type) = 'ces'
    ) THEN EPOCH_US(responded_at) END AS m8,
    CASE
      WHEN (
        LOWER(survey_type) = 'nps' AND score <= 6
      )
      THEN CASE WHEN NOT score IS NULL THEN 1 END
    END AS m9,
    CASE
      WHEN (
        NOT sent_at IS NULL
      )
      THEN CASE WHEN NOT responded_at IS NULL THEN 1 END
    END AS m10,
    EPOCH_US(event_time) AS moment
  FROM survey_responses
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
