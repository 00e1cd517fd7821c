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

-- labels_based
SELECT
  *,
  CASE WHEN started_at < first_at AND until_at >= first_at THEN 1 ELSE 0 END AS at_first,
  CASE WHEN started_at < last_at AND until_at >= last_at THEN 1 ELSE 0 END AS at_last,
  COALESCE(
    MIN(CASE WHEN started_at < first_at AND until_at >= first_at THEN currency END)
      OVER (PARTITION BY row_id),
    MIN(CASE WHEN started_at < last_at AND until_at >= last_at THEN currency END)
      OVER (PARTITION BY row_id)
  ) AS home_currency
FROM (
  SELECT
    *,
    LEAST(
      as_of, MAX(CASE WHEN started_at < as_of THEN until_at END) OVER (PARTITION BY row_id)
    ) AS first_at,
    LEAST(
      window_end,
      MAX(CASE WHEN started_at < window_end THEN until_at END) OVER (PARTITION BY row_id)
    ) AS last_at
  FROM labels_spell
) AS moments

-- labels_priced
SELECT
  s.row_id, s.as_of, s.subscription_id, s.last_at, s.started_at, s.until_at, s.at_first, s.at_last,
  s.seats, s.plan, s.billing_period,
  CASE WHEN s.currency IS NULL OR s.home_currency IS NULL OR s.currency = s.home_currency THEN s.list_price END AS price
FROM labels_based AS s

-- labels_change
SELECT
  c.row_id, c.as_of, c.list_before, c.list_after, c.unpriced,
  CASE  WHEN c.list_after - c.list_before > 0 AND c.list_after - c.list_before >= 0.09999999990000001 * c.list_before THEN 1 ELSE 0 END AS counts
FROM (
  SELECT
    row_id, MIN(as_of) AS as_of,
    CAST(SUM(CAST(CASE WHEN at_first = 1 THEN price END AS DECIMAL(38, 10))) AS DOUBLE) AS list_before,
    CAST(SUM(CAST(CASE WHEN at_last = 1 THEN price END AS DECIMAL(38, 10))) AS DOUBLE) AS list_after,
    MAX(CASE WHEN at_first + at_last > 0 AND price IS NULL THEN 1 ELSE 0 END) AS unpriced,
    CASE
      WHEN COALESCE(SUM(CASE WHEN at_first = 1 THEN seats END), -1)
        <> COALESCE(SUM(CASE WHEN at_last = 1 THEN seats END), -1)
      THEN 1 ELSE 0
    END AS seats_differ
  FROM labels_priced
  GROUP BY row_id
) AS c

-- labels_levels
SELECT
  v.row_id, v.moment,
  CASE WHEN v.level - v.list_before > 0 AND v.level - v.list_before >= 0.09999999990000001 * v.list_before THEN 1 ELSE 0 END AS holds
FROM (
  SELECT m.row_id, m.moment, MIN(c.list_before) AS list_before, CAST(SUM(CAST(r.price AS DECIMAL(38, 10))) AS DOUBLE) AS level
  FROM (
    SELECT row_id, started_at AS moment FROM labels_priced
    WHERE started_at >= as_of AND started_at < last_at
    UNION
    SELECT row_id, until_at AS moment FROM labels_priced WHERE until_at >= as_of AND until_at < last_at
  ) AS m
  JOIN labels_change AS c ON c.row_id = m.row_id AND c.counts = 1
  JOIN labels_priced AS r
    ON r.row_id = m.row_id AND r.started_at <= m.moment AND r.until_at > m.moment
  GROUP BY m.row_id, m.moment
) AS v

-- labels_moved
SELECT row_id, MIN(CASE WHEN failed_at IS NULL OR moment > failed_at THEN moment END) AS moved_at
FROM (
  SELECT
    row_id, moment,
    MAX(CASE WHEN holds = 0 THEN moment END) OVER (PARTITION BY row_id) AS failed_at
  FROM labels_levels
) AS levels
GROUP BY row_id

-- labels_outcomes
SELECT
  d.row_id,
  CASE
    WHEN d.began_at >= d.as_of OR d.decided_at < d.as_of THEN 'already_decided'
    WHEN d.decided_at < d.window_start THEN 'ended_in_gap'
    WHEN d.decided_at >= d.window_start AND d.decided_at < d.window_end THEN ''
    WHEN c.unpriced = 1 THEN 'currency_changed'
    ELSE ''
  END AS drop_reason,
  CASE WHEN d.decided_at >= d.window_start AND d.decided_at < d.window_end THEN 0 ELSE c.counts END AS label,
  COALESCE(m.moved_at, c.as_of) AS outcome_at,
  c.list_after - c.list_before AS amount,
  CAST(NULL AS VARCHAR) AS churn_type
FROM labels_decided AS d
JOIN labels_change AS c ON c.row_id = d.row_id
LEFT JOIN labels_moved AS m ON m.row_id = d.row_id
