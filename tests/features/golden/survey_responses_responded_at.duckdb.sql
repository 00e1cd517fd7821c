SELECT account_no, slot, seen, max(CASE WHEN m0 IS NOT NULL THEN struct_pack(t := moment, v := m0) END) AS m0, CAST(sum(m1) AS BIGINT) AS m1, CAST(count(m1) AS BIGINT) AS m1_n, max(m2) AS m2, max(CASE WHEN m3 IS NOT NULL THEN struct_pack(t := moment, v := m3) END) AS m3, CAST(sum(m4) AS BIGINT) AS m4, CAST(count(m4) AS BIGINT) AS m4_n, max(m5) AS m5, max(CASE WHEN m6 IS NOT NULL THEN struct_pack(t := moment, v := m6) END) AS m6, CAST(sum(m7) AS BIGINT) AS m7, CAST(count(m7) AS BIGINT) AS m7_n, max(m8) AS m8, CAST(count(m9) AS BIGINT) AS m9, CAST(count(m10) AS BIGINT) AS m10
FROM (SELECT scope.account_no,
  CASE WHEN (CASE WHEN known_at IS NULL OR responded_at__known IS NULL THEN NULL ELSE greatest(known_at, responded_at__known) END) < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN (CASE WHEN known_at IS NULL OR responded_at__known IS NULL THEN NULL ELSE greatest(known_at, responded_at__known) END) < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  CASE WHEN event_time < TIMESTAMP '2023-07-03 00:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-02-01 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN event_time < TIMESTAMP '2023-08-03 12:00:00.000000' THEN 3 ELSE 4 END END AS slot,
  CASE WHEN (lower(survey_type) = 'nps') THEN CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) END AS m0,
  CASE WHEN (lower(survey_type) = 'nps') THEN CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) END AS m1,
  CASE WHEN (lower(survey_type) = 'nps') THEN epoch_us(responded_at) END AS m2,
  CASE WHEN (lower(survey_type) = 'csat') THEN CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) END AS m3,
  CASE WHEN (lower(survey_type) = 'csat') THEN CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) END AS m4,
  CASE WHEN (lower(survey_type) = 'csat') THEN epoch_us(responded_at) END AS m5,
  CASE WHEN (lower(survey_type) = 'ces') THEN CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) END AS m6,
  CASE WHEN (lower(survey_type) = 'ces') THEN CAST(round(CAST(score AS DOUBLE) * 1000000) AS BIGINT) END AS m7,
  CASE WHEN (lower(survey_type) = 'ces') THEN epoch_us(responded_at) END AS m8,
  CASE WHEN (lower(survey_type) = 'nps' and score <= 6) THEN CASE WHEN score IS NOT NULL THEN 1 END END AS m9,
  CASE WHEN (sent_at is not null) THEN CASE WHEN responded_at IS NOT NULL THEN 1 END END AS m10,
  epoch_us(event_time) AS moment
FROM survey_responses JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, seen
