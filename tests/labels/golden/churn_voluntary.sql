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

-- labels_outcomes
SELECT
  d.row_id,
  CASE
    WHEN d.began_at >= d.as_of OR d.decided_at < d.as_of THEN 'already_decided'
    WHEN d.decided_at < d.window_start THEN 'ended_in_gap'
    WHEN d.decided_at >= d.window_start AND d.decided_at < d.window_end AND d.churn_type IS NULL THEN 'churn_type_unknown'
    ELSE ''
  END AS drop_reason,
  CASE WHEN d.decided_at >= d.window_start AND d.decided_at < d.window_end AND d.churn_type = 'voluntary' THEN 1 ELSE 0 END AS label,
  d.decided_at AS outcome_at,
  CAST(NULL AS DOUBLE) AS amount,
  d.churn_type
FROM labels_decided AS d
