-- labels_paid
SELECT
  account_id, subscription_id, started_at, ended_at, end_reason, notice_at, term_end,
  mrr, list_price, currency, seats, plan, billing_period,
  GREATEST(started_at, event_time, known_at) AS seen_after,
  CASE WHEN ended_at IS NULL THEN TIMESTAMP '9000-01-01 00:00:00' ELSE GREATEST(ended_at, ended_at__known) END
    AS end_seen_after,
  CASE WHEN notice_at IS NOT NULL THEN GREATEST(notice_at, notice_at__known) END
    AS notice_seen_after,
  CASE WHEN term_end < notice_at THEN notice_at + (term_end - started_at) ELSE term_end END
    AS notice_until
FROM subscriptions
WHERE paid

-- labels_rows
SELECT
  a.row_id, a.as_of, a.window_start, a.window_end, a.label_known_at,
  r.subscription_id, r.started_at, r.list_price, r.currency, r.seats, r.plan, r.billing_period,
  CASE WHEN r.end_seen_after < a.label_known_at THEN r.ended_at END AS ended_at,
  CASE WHEN r.end_seen_after < a.label_known_at THEN r.end_reason END AS end_reason,
  CASE
    WHEN r.notice_seen_after < a.label_known_at AND (
      r.end_seen_after < a.label_known_at
      OR r.notice_until IS NULL OR r.notice_until >= a.label_known_at
    ) THEN r.notice_at
  END AS notice_at
FROM labels_asked AS a
JOIN labels_paid AS r ON r.account_id = a.account_id
WHERE r.seen_after < a.label_known_at AND r.end_seen_after >= a.as_of

-- labels_reach
SELECT
  *,
  COALESCE(ended_at, TIMESTAMP '9000-01-01 00:00:00') AS until_at,
  MAX(COALESCE(ended_at, TIMESTAMP '9000-01-01 00:00:00')) OVER (
    PARTITION BY row_id ORDER BY started_at, subscription_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS reached
FROM labels_rows
WHERE ended_at IS NULL OR ended_at > started_at

-- labels_spell
SELECT * FROM (
  SELECT
    *,
    MIN(
      CASE
        WHEN started_at > reached AND started_at >= reached + INTERVAL '30' DAY
        THEN started_at
      END
    ) OVER (PARTITION BY row_id) AS next_spell_at
  FROM labels_reach
) AS spells
WHERE next_spell_at IS NULL OR started_at < next_spell_at

-- labels_decided
SELECT
  row_id,
  MIN(as_of) AS as_of, MIN(window_start) AS window_start, MIN(window_end) AS window_end,
  MIN(started_at) AS began_at,
  CASE WHEN COUNT(closed_at) = COUNT(*) THEN MAX(closed_at) END AS decided_at,
  MAX(CASE WHEN place = 1 THEN churn_type END) AS churn_type
FROM (
  SELECT
    row_id, as_of, window_start, window_end, started_at,
    CASE WHEN notice_at < until_at THEN notice_at ELSE ended_at END AS closed_at,
    CASE
      WHEN end_reason = 'involuntary' THEN 'involuntary'
      WHEN end_reason IS NOT NULL OR notice_at IS NOT NULL THEN 'voluntary'
    END AS churn_type,
    ROW_NUMBER() OVER (
      PARTITION BY row_id ORDER BY until_at DESC, started_at DESC, subscription_id DESC
    ) AS place
  FROM labels_spell
) AS closings
GROUP BY row_id

-- labels_renewed
SELECT
  row_id,
  MIN(
    CASE
      WHEN seen_after >= as_of AND (started_at <= due_at OR started_at < due_at + INTERVAL '30' DAY)
        AND (ended_at IS NULL OR (ended_at > started_at AND ended_at > due_at))
      THEN started_at
      WHEN seen_after < as_of AND term_end = due_at
        AND (ended_at IS NULL OR (ended_at > due_at AND ended_at >= due_at + INTERVAL '30' DAY))
      THEN due_at
    END
  ) AS renewed_at
FROM (
  SELECT
    a.row_id, a.as_of, a.due_at, r.seen_after, r.started_at, r.term_end,
    CASE WHEN r.end_seen_after < a.label_known_at THEN r.ended_at END AS ended_at
  FROM labels_asked AS a
  JOIN labels_paid AS r ON r.account_id = a.account_id
  WHERE r.seen_after < a.label_known_at AND r.end_seen_after >= a.as_of
) AS terms
GROUP BY row_id

-- labels_outcomes
SELECT
  d.row_id,
  CASE
    WHEN d.began_at >= d.as_of OR d.decided_at < d.as_of THEN 'already_decided'
    WHEN d.decided_at < d.window_start THEN 'ended_in_gap'
    ELSE ''
  END AS drop_reason,
  CASE WHEN n.renewed_at IS NULL THEN 0 ELSE 1 END AS label,
  n.renewed_at AS outcome_at,
  CAST(0 AS DOUBLE) AS amount,
  CAST(NULL AS VARCHAR) AS churn_type
FROM labels_decided AS d
JOIN labels_renewed AS n ON n.row_id = d.row_id
