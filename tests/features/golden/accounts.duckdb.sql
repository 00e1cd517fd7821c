SELECT account_no, slot, seen, max(CASE WHEN m0 IS NOT NULL THEN struct_pack(t := moment, v := m0) END) AS m0, max(CASE WHEN m1 IS NOT NULL THEN struct_pack(t := moment, v := m1) END) AS m1, max(CASE WHEN m2 IS NOT NULL THEN struct_pack(t := moment, v := m2) END) AS m2, max(CASE WHEN m3 IS NOT NULL THEN struct_pack(t := moment, v := m3) END) AS m3, min(m4) AS m4
FROM (SELECT scope.account_no,
  CASE WHEN known_at < TIMESTAMP '2024-02-01 12:00:00.000000' THEN CASE WHEN known_at < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END ELSE 2 END AS seen,
  0 AS slot,
  segment AS m0,
  industry AS m1,
  country AS m2,
  CAST(round(CAST(employees AS DOUBLE) * 1000000) AS BIGINT) AS m3,
  epoch_us(created_at) AS m4,
  epoch_us(event_time) AS moment
FROM accounts JOIN feature_scope AS scope USING (account_id)
WHERE known_at < TIMESTAMP '2024-02-01 12:00:00.000000') AS placed
WHERE seen < 2
GROUP BY account_no, slot, seen
