SELECT account_no, slot, seen, CAST(sum(m0) AS BIGINT) AS m0, CAST(count(m0) AS BIGINT) AS m0_n, CAST(count(m1) AS BIGINT) AS m1, CAST(count(m2) AS BIGINT) AS m2
FROM (SELECT scope.account_no,
  CASE WHEN (CASE WHEN known_at IS NULL OR ended_at__known IS NULL THEN NULL ELSE greatest(known_at, ended_at__known) END) < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN (CASE WHEN known_at IS NULL OR ended_at__known IS NULL THEN NULL ELSE greatest(known_at, ended_at__known) END) < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  CASE WHEN ended_at < TIMESTAMP '2023-08-03 12:00:00.000000' THEN CASE WHEN ended_at < TIMESTAMP '2023-02-01 12:00:00.000000' THEN CASE WHEN ended_at < TIMESTAMP '2023-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE CASE WHEN ended_at < TIMESTAMP '2023-07-03 00:00:00.000000' THEN 2 ELSE 3 END END ELSE CASE WHEN ended_at < TIMESTAMP '2023-11-02 12:00:00.000000' THEN CASE WHEN ended_at < TIMESTAMP '2023-10-02 00:00:00.000000' THEN 4 ELSE 5 END ELSE 6 END END AS slot,
  CASE WHEN (paid) THEN CAST(round(CAST(list_price AS DOUBLE) * 1000000) AS BIGINT) END AS m0,
  CASE WHEN (end_reason = 'upgrade') THEN 1 END AS m1,
  CASE WHEN (end_reason = 'downgrade') THEN 1 END AS m2
FROM subscriptions JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000' AND ended_at >= TIMESTAMP '2023-01-01 00:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, seen
