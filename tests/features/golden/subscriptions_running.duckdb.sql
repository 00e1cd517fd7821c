SELECT account_no, slot, gone, seen, CAST(sum(m0) AS BIGINT) AS m0, CAST(count(m0) AS BIGINT) AS m0_n, CAST(sum(m1) AS BIGINT) AS m1, CAST(count(m1) AS BIGINT) AS m1_n, CAST(sum(m2) AS BIGINT) AS m2, CAST(count(m2) AS BIGINT) AS m2_n, CAST(count(m3) AS BIGINT) AS m3, min(m4) AS m4
FROM (SELECT scope.account_no,
  CASE WHEN known_at < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN known_at < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  0 AS slot,
  CASE WHEN ended_at__known < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN ended_at__known < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS gone,
  CASE WHEN (paid) THEN CAST(round(CAST(mrr AS DOUBLE) * 1000000) AS BIGINT) END AS m0,
  CASE WHEN (paid) THEN CAST(round(CAST(list_price AS DOUBLE) * 1000000) AS BIGINT) END AS m1,
  CASE WHEN (paid) THEN CAST(round(CAST(seats AS DOUBLE) * 1000000) AS BIGINT) END AS m2,
  CASE WHEN (paid) THEN 1 END AS m3,
  CASE WHEN (paid) THEN epoch_us(term_end) END AS m4
FROM subscriptions JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, gone, seen
