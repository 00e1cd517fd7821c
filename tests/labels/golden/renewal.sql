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
  FROM labels_windows AS a
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
