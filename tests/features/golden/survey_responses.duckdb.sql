SELECT scope._no AS account_no,
  CAST(CASE WHEN (CASE WHEN known_at IS NULL OR responded_at__known IS NULL THEN NULL ELSE greatest(known_at, responded_at__known) END) < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN (CASE WHEN known_at IS NULL OR responded_at__known IS NULL THEN NULL ELSE greatest(known_at, responded_at__known) END) < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS SMALLINT) AS seen0,
  CAST(CASE WHEN known_at < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN known_at < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS SMALLINT) AS seen1,
  CAST(CASE WHEN event_time < TIMESTAMP '2023-08-03 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-02-01 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE CASE WHEN event_time < TIMESTAMP '2023-07-03 00:00:00.000000' THEN 2 ELSE 3 END END ELSE CASE WHEN event_time < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 4 ELSE 5 END ELSE 6 END END AS SMALLINT) AS slot0,
  coalesce((lower(survey_type) = 'nps'), false) AS v0,
  CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) AS v1,
  epoch_us(event_time) AS v2,
  epoch_us(responded_at) AS v3,
  coalesce((lower(survey_type) = 'csat'), false) AS v4,
  coalesce((lower(survey_type) = 'ces'), false) AS v5,
  coalesce((lower(survey_type) = 'nps' and score <= 6), false) AS v6,
  ((score) IS NOT NULL) AS v7,
  ((sent_at) IS NOT NULL) AS v8,
  coalesce((sent_at is not null), false) AS v9,
  ((responded_at) IS NOT NULL) AS v10
FROM survey_responses JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000'
