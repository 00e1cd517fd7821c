-- labels_paid
SELECT
  account_id, subscription_id, started_at, ended_at, end_reason, notice_at, term_end,
  mrr, list_price, currency, seats, plan, billing_period,
  (CASE WHEN started_at IS NULL OR event_time IS NULL OR known_at IS NULL THEN NULL ELSE greatest(started_at, event_time, known_at) END) AS seen_after,
  COALESCE((CASE WHEN ended_at IS NULL OR ended_at__known IS NULL THEN NULL ELSE greatest(ended_at, ended_at__known) END), TIMESTAMP '9000-01-01 00:00:00') AS end_seen_after,
  (CASE WHEN notice_at IS NULL OR notice_at__known IS NULL THEN NULL ELSE greatest(notice_at, notice_at__known) END) AS notice_seen_after,
  CASE WHEN term_end < notice_at THEN notice_at + (term_end - started_at) ELSE term_end END
    AS notice_until
FROM subscriptions
WHERE paid

-- labels_running
SELECT
  c.as_of, r.account_id, r.mrr, r.list_price, r.currency, r.seats, r.term_end, r.notice_until,
  CASE
    WHEN r.notice_seen_after < c.as_of AND (r.notice_until IS NULL OR r.notice_until >= c.as_of)
    THEN 1 ELSE 0
  END AS under_notice
FROM labels_cutoffs AS c
JOIN labels_paid AS r ON r.seen_after < c.as_of AND r.end_seen_after >= c.as_of

-- labels_snapshots
SELECT
  account_id, as_of,
  CAST(SUM(CAST(mrr AS DECIMAL(38, 10))) AS DOUBLE) AS mrr,
  CAST(SUM(CAST(list_price AS DECIMAL(38, 10))) AS DOUBLE) AS list_mrr,
  CAST(SUM(CAST(seats AS DECIMAL(38, 10))) AS DOUBLE) AS seats,
  CASE
    WHEN MIN(COALESCE(currency, '')) = MAX(COALESCE(currency, '')) THEN MAX(currency)
  END AS currency,
  MIN(term_end) AS renews_at,
  MIN(under_notice) = 1 AS notice_given,
  CASE
    WHEN MIN(under_notice) = 1 AND COUNT(notice_until) = COUNT(*) THEN MAX(notice_until)
  END AS ends_at
FROM labels_running
GROUP BY account_id, as_of
