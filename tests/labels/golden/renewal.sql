-- labels_paid
-- as in snapshots

-- labels_rows
-- as in churn

-- labels_reach
-- as in churn

-- labels_spell
-- as in churn

-- labels_decided
-- as in churn

-- labels_renewed
SELECT
  row_id,
  MIN(
    CASE
      WHEN seen_after >= as_of AND others = 0
        AND (started_at <= due_at OR started_at < due_at + INTERVAL '30' DAY)
        AND (ended_at IS NULL OR (ended_at > started_at AND ended_at > due_at))
      THEN started_at
      WHEN due = 1
        AND (ended_at IS NULL
          OR (ended_at > due_at AND (ended_at >= due_at + INTERVAL '30' DAY OR ended_at >= next_end)))
      THEN due_at
    END
  ) AS renewed_at
FROM (
  SELECT
    *,
    MAX(running) OVER (PARTITION BY row_id, subscription_id)
      - MAX(due) OVER (PARTITION BY row_id, subscription_id) AS others
  FROM (
    SELECT
      a.row_id, a.as_of, a.due_at, r.subscription_id, r.seen_after, r.started_at,
      CASE WHEN r.seen_after < a.as_of THEN 1 ELSE 0 END AS running,
      CASE WHEN r.seen_after < a.as_of AND CASE WHEN (term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER))) >= as_of AND (term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER))) > started_at THEN (term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER))) ELSE term_anchor + to_months(CAST(greatest(0, date_diff('month', term_anchor, as_of) - date_diff('month', term_anchor, as_of) % term_months) AS INTEGER) + term_months) END = a.due_at THEN 1 ELSE 0 END AS due,
      CASE WHEN (term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, after_due) - DATE_DIFF('MONTH', term_anchor, after_due) % term_months) AS INT))) >= after_due AND (term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, after_due) - DATE_DIFF('MONTH', term_anchor, after_due) % term_months) AS INT))) > started_at THEN (term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, after_due) - DATE_DIFF('MONTH', term_anchor, after_due) % term_months) AS INT))) ELSE term_anchor + TO_MONTHS(CAST(GREATEST(0, DATE_DIFF('MONTH', term_anchor, after_due) - DATE_DIFF('MONTH', term_anchor, after_due) % term_months) AS INT) + term_months) END AS next_end,
      CASE WHEN r.end_seen_after < a.label_known_at THEN r.ended_at END AS ended_at
    FROM (SELECT *, due_at + INTERVAL '1' MICROSECOND AS after_due FROM labels_windows) AS a
    JOIN labels_paid AS r ON r.account_id = a.account_id
    WHERE r.seen_after < a.label_known_at AND r.end_seen_after >= a.as_of
  ) AS seen
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
