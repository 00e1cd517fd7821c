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

-- labels_rates
SELECT as_of, currency, rate FROM (
  SELECT
    c.as_of, f.currency, f.rate,
    ROW_NUMBER() OVER (
      PARTITION BY c.as_of, f.currency ORDER BY f.event_time DESC, f.known_at DESC, f.rate
    ) AS place
  FROM (SELECT DISTINCT as_of FROM labels_windows) AS c
  JOIN fx_rates AS f ON f.event_time < c.as_of AND f.known_at < c.as_of
  WHERE f.rate > 0
) AS ranked
WHERE place = 1

-- labels_based
-- as in expansion

-- labels_priced
SELECT
  s.row_id, s.as_of, s.subscription_id, s.last_at, s.started_at, s.until_at, s.at_first, s.at_last,
  s.seats, s.plan, s.billing_period,
  CASE WHEN s.currency IS NULL OR s.home_currency IS NULL OR s.currency = s.home_currency THEN s.list_price ELSE s.list_price * own.rate / home.rate END AS price
FROM labels_based AS s
LEFT JOIN labels_rates AS own ON own.as_of = s.as_of AND own.currency = s.currency
LEFT JOIN labels_rates AS home ON home.as_of = s.as_of AND home.currency = s.home_currency

-- labels_plans
SELECT row_id, MAX(CASE WHEN before <> after THEN 1 ELSE 0 END) AS differs
FROM (
  SELECT row_id, plan, MAX(at_first) AS before, MAX(at_last) AS after
  FROM labels_priced
  GROUP BY row_id, plan
) AS members
GROUP BY row_id

-- labels_terms
SELECT row_id, MAX(CASE WHEN before <> after THEN 1 ELSE 0 END) AS differs
FROM (
  SELECT row_id, billing_period, MAX(at_first) AS before, MAX(at_last) AS after
  FROM labels_priced
  GROUP BY row_id, billing_period
) AS members
GROUP BY row_id

-- labels_change
SELECT
  c.row_id, c.as_of, c.list_before, c.list_after, c.unpriced,
  CASE WHEN b.differs = 1 AND p.differs = 0 AND c.seats_differ = 0 THEN 0 WHEN c.list_before - c.list_after > 0 AND c.list_before - c.list_after >= 0.09999999990000001 * c.list_before THEN 1 ELSE 0 END AS counts
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
JOIN labels_plans AS p ON p.row_id = c.row_id
JOIN labels_terms AS b ON b.row_id = c.row_id

-- labels_levels
SELECT
  v.row_id, v.moment,
  CASE WHEN v.list_before - v.level > 0 AND v.list_before - v.level >= 0.09999999990000001 * v.list_before THEN 1 ELSE 0 END AS holds
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
-- as in expansion

-- labels_outcomes
-- as in expansion
