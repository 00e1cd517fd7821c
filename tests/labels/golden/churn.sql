-- labels_paid
-- as in snapshots

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
    ) AND (r.successor_known IS NULL OR r.successor_known >= a.label_known_at)
    THEN r.notice_at
  END AS notice_at
FROM labels_windows AS a
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

-- labels_outcomes
SELECT
  d.row_id,
  CASE
    WHEN d.began_at >= d.as_of OR d.decided_at < d.as_of THEN 'already_decided'
    WHEN d.decided_at < d.window_start THEN 'ended_in_gap'
    ELSE ''
  END AS drop_reason,
  CASE WHEN d.decided_at >= d.window_start AND d.decided_at < d.window_end THEN 1 ELSE 0 END AS label,
  d.decided_at AS outcome_at,
  CAST(NULL AS DOUBLE) AS amount,
  d.churn_type
FROM labels_decided AS d
