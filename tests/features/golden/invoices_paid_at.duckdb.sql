SELECT account_no, slot, seen, CAST(count(m0) AS BIGINT) AS m0, CAST(sum(m1) AS BIGINT) AS m1, CAST(count(m1) AS BIGINT) AS m1_n
FROM (SELECT scope.account_no,
  CASE WHEN (CASE WHEN known_at IS NULL OR paid_at__known IS NULL THEN NULL ELSE greatest(known_at, paid_at__known) END) < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN (CASE WHEN known_at IS NULL OR paid_at__known IS NULL THEN NULL ELSE greatest(known_at, paid_at__known) END) < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  CASE WHEN event_time < TIMESTAMP '2023-10-02 00:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-08-03 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-07-03 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN event_time < TIMESTAMP '2023-11-02 12:00:00.000000' THEN 3 ELSE 4 END END AS slot,
  CASE WHEN (paid_at > due_at) THEN 1 END AS m0,
  CAST(round(CAST(DATE_DIFF('SECOND', issued_at, paid_at) / 86400.0 AS DOUBLE) * 1000000) AS BIGINT) AS m1
FROM invoices JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000' AND event_time >= TIMESTAMP '2023-07-03 00:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, seen
