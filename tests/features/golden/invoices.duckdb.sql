SELECT account_no, slot, seen, CAST(count(m0) AS BIGINT) AS m0
FROM (SELECT scope.account_no,
  CASE WHEN known_at < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN known_at < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  CASE WHEN event_time < TIMESTAMP '2023-08-03 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-07-03 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS slot,
  1 AS m0
FROM invoices JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000' AND event_time >= TIMESTAMP '2023-07-03 00:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, seen
