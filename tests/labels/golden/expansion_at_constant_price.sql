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
-- as in expansion

-- labels_charged
SELECT
  s.row_id, s.as_of, s.subscription_id, s.last_at, s.started_at, s.until_at, s.at_first, s.at_last,
  s.seats, s.plan, s.billing_period,
  CASE WHEN s.currency IS NULL OR s.home_currency IS NULL OR s.currency = s.home_currency THEN s.list_price END AS price
FROM labels_based AS s

-- labels_priced
SELECT
  row_id, as_of, subscription_id, last_at, started_at, until_at, at_first, at_last,
  seats, plan, billing_period,
  CASE
    WHEN at_first = 1 THEN price
    ELSE COALESCE(own_unit * quantity, plan_unit * quantity, price)
  END AS price
FROM (
  SELECT *, SUM(CASE WHEN at_first = 1 THEN price END) OVER (PARTITION BY row_id, subscription_id, plan) / SUM(CASE WHEN at_first = 1 THEN quantity END) OVER (PARTITION BY row_id, subscription_id, plan) AS own_unit, SUM(CASE WHEN at_first = 1 THEN price END) OVER (PARTITION BY row_id, plan) / SUM(CASE WHEN at_first = 1 THEN quantity END) OVER (PARTITION BY row_id, plan) AS plan_unit
  FROM (SELECT *, CASE WHEN counted = 1 THEN seats ELSE 1 END AS quantity FROM (
    SELECT *, MIN(CASE WHEN seats > 0 THEN 1 ELSE 0 END) OVER (PARTITION BY row_id, plan) AS counted
    FROM labels_charged
  ) AS marked) AS counts
) AS priced

-- labels_change
-- as in expansion

-- labels_levels
-- as in expansion

-- labels_moved
-- as in expansion

-- labels_outcomes
-- as in expansion
