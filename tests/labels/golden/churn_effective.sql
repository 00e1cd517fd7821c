-- labels_paid
-- as in snapshots

-- labels_rows
-- as in churn

-- labels_reach
-- as in churn

-- labels_spell
-- as in churn

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
    ended_at AS closed_at,
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
-- as in churn
