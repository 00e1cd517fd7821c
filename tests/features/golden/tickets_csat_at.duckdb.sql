SELECT account_no, slot, seen, CAST(sum(m0) AS BIGINT) AS m0, CAST(count(m0) AS BIGINT) AS m0_n, max(CASE WHEN m1 IS NOT NULL THEN struct_pack(t := moment, v := m1) END) AS m1
FROM (SELECT scope.account_no,
  CASE WHEN (CASE WHEN known_at IS NULL OR csat_at__known IS NULL THEN NULL ELSE greatest(known_at, csat_at__known) END) < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN (CASE WHEN known_at IS NULL OR csat_at__known IS NULL THEN NULL ELSE greatest(known_at, csat_at__known) END) < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  CASE WHEN event_time < TIMESTAMP '2023-10-09 00:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-08-03 12:00:00.000000' THEN CASE WHEN event_time < TIMESTAMP '2023-07-03 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END ELSE CASE WHEN event_time < TIMESTAMP '2023-11-09 12:00:00.000000' THEN 3 ELSE 4 END END AS slot,
  CAST(round(CAST(csat_score AS DOUBLE) * 1000000) AS BIGINT) AS m0,
  CAST(round(CAST(csat_score AS DOUBLE) * 1000000) AS BIGINT) AS m1,
  epoch_us(event_time) AS moment
FROM tickets JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, seen
