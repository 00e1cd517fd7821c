-- labels_paid
SELECT
  account_id, subscription_id, started_at, ended_at, end_reason, notice_at, successor_known,
  term_anchor, term_months, mrr, list_price, currency, seats, plan, billing_period,
  (CASE WHEN started_at IS NULL OR event_time IS NULL OR known_at IS NULL THEN NULL ELSE greatest(started_at, event_time, known_at) END) AS seen_after,
  COALESCE((CASE WHEN ended_at IS NULL OR ended_at__known IS NULL THEN NULL ELSE greatest(ended_at, ended_at__known) END), TIMESTAMP '9000-01-01 00:00:00') AS end_seen_after,
  (CASE WHEN notice_at IS NULL OR notice_at__known IS NULL THEN NULL ELSE greatest(notice_at, notice_at__known) END) AS notice_seen_after,
  CASE WHEN (term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, notice_at) - DATE_DIFF('MONTH', term_anchor, notice_at) % term_months) AS INT))) >= notice_at AND (term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, notice_at) - DATE_DIFF('MONTH', term_anchor, notice_at) % term_months) AS INT))) > started_at THEN (term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, notice_at) - DATE_DIFF('MONTH', term_anchor, notice_at) % term_months) AS INT))) ELSE term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, notice_at) - DATE_DIFF('MONTH', term_anchor, notice_at) % term_months) AS INT) + term_months) END AS notice_until
FROM subscriptions
WHERE paid

-- labels_running
SELECT
  c.as_of, r.account_id, r.mrr, r.list_price, r.currency, r.seats, r.notice_until,
  CASE WHEN (term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER))) >= as_of AND (term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER))) > started_at THEN (term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER))) ELSE term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER) + term_months) END AS term_end,
  CASE
    WHEN r.notice_seen_after < c.as_of AND (r.notice_until IS NULL OR r.notice_until >= c.as_of)
      AND (r.successor_known IS NULL OR r.successor_known >= c.as_of)
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
