"""Whether list MRR rose or fell by the end of the window, and when.

labels_rates      the latest rate of each currency known at each prediction time
labels_based      spell rows, and whether they run at as_of and at the window's end
labels_charged    … with a price in the account's currency, where there is one
labels_priced     … the same, or what was paid for at as_of at the prices of then
labels_plans      whether the set of plans is another one (labels_terms: of billing periods)
labels_change     per snapshot: list MRR at both times, and whether the difference counts
labels_levels     list MRR after each start and end, for snapshots whose change counts
labels_moved      … the time from which the change held
"""

from __future__ import annotations

from tenure.core.steps import Step
from tenure.labels.snapshots import exact_sum
from tenure.labels.spells import CHURNED, LABEL_WINDOWS, SPELL, Rules, outcome_step

RATES = "labels_rates"
BASED = "labels_based"
PRICED = "labels_priced"
CHARGED = "labels_charged"
PLANS = "labels_plans"
TERMS = "labels_terms"
CHANGE = "labels_change"
LEVELS = "labels_levels"
MOVED = "labels_moved"

TOLERANCE = 1e-9
"""Relative tolerance of the threshold."""


def change_steps(rules: Rules) -> list[Step]:
    """Return the steps from `labels_spell` and `labels_decided` to the outcomes."""
    steps = [_rates()] if rules.rates else []
    steps += [_based(), *_prices(rules)]
    if not rules.list_prices:
        steps += [_set_changes(PLANS, "plan"), _set_changes(TERMS, "billing_period")]
    return [*steps, _change(rules), _levels(rules), _moved(), _outcomes()]


def _rates() -> Step:
    """Return the step of the latest rate of each currency known at each prediction time."""
    return Step(
        RATES,
        f"""
SELECT as_of, currency, rate FROM (
  SELECT
    c.as_of, f.currency, f.rate,
    ROW_NUMBER() OVER (
      PARTITION BY c.as_of, f.currency ORDER BY f.event_time DESC, f.known_at DESC, f.rate
    ) AS place
  FROM (SELECT DISTINCT as_of FROM {LABEL_WINDOWS}) AS c
  JOIN fx_rates AS f ON f.event_time < c.as_of AND f.known_at < c.as_of
  WHERE f.rate > 0
) AS ranked
WHERE place = 1
""",
    )


def _based() -> Step:
    """Return the step of the two times compared, each moved back to the last paid moment before."""
    return Step(
        BASED,
        f"""
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
  FROM {SPELL}
) AS moments
""",
        lazy=True,
    )


def _prices(rules: Rules) -> list[Step]:
    """Return the steps of the price of each row; the last one is `labels_priced`."""
    same = "s.currency IS NULL OR s.home_currency IS NULL OR s.currency = s.home_currency"
    price, joins = f"CASE WHEN {same} THEN s.list_price END", ""
    if rules.rates:
        price = f"CASE WHEN {same} THEN s.list_price ELSE s.list_price * own.rate / home.rate END"
        joins = f"""
LEFT JOIN {RATES} AS own ON own.as_of = s.as_of AND own.currency = s.currency
LEFT JOIN {RATES} AS home ON home.as_of = s.as_of AND home.currency = s.home_currency"""
    charged = Step(
        CHARGED if rules.constant_price else PRICED,
        f"""
SELECT
  s.row_id, s.as_of, s.subscription_id, s.last_at, s.started_at, s.until_at, s.at_first, s.at_last,
  s.seats, s.plan, s.billing_period,
  {price} AS price
FROM {BASED} AS s{joins}
""",
    )
    return [charged, _constant()] if rules.constant_price else [charged]


def _constant() -> Step:
    """Return the step that prices rows as at as_of: their seats at the price that a seat had then.

    It is the price of the same subscription and plan, else of the plan; without seats, that of a
    row.  A plan that the account did not have then has its own price.
    """
    amount = "CASE WHEN at_first = 1 THEN {} END"
    own, plan = "row_id, subscription_id, plan", "row_id, plan"
    units = ", ".join(
        f"SUM({amount.format('price')}) OVER (PARTITION BY {keys}) "
        f"/ SUM({amount.format('quantity')}) OVER (PARTITION BY {keys}) AS {name}_unit"
        for name, keys in (("own", own), ("plan", plan))
    )
    return Step(
        PRICED,
        f"""
SELECT
  row_id, as_of, subscription_id, last_at, started_at, until_at, at_first, at_last,
  seats, plan, billing_period,
  CASE
    WHEN at_first = 1 THEN price
    ELSE COALESCE(own_unit * quantity, plan_unit * quantity, price)
  END AS price
FROM (
  SELECT *, {units}
  FROM (SELECT *, CASE WHEN counted = 1 THEN seats ELSE 1 END AS quantity FROM (
    SELECT *, MIN(CASE WHEN seats > 0 THEN 1 ELSE 0 END) OVER (PARTITION BY {plan}) AS counted
    FROM {CHARGED}
  ) AS marked) AS counts
) AS priced
""",
    )


def _set_changes(name: str, column: str) -> Step:
    """Return the step that tells whether plans (or billing periods) differ at the window's end."""
    return Step(
        name,
        f"""
SELECT row_id, MAX(CASE WHEN before <> after THEN 1 ELSE 0 END) AS differs
FROM (
  SELECT row_id, {column}, MAX(at_first) AS before, MAX(at_last) AS after
  FROM {PRICED}
  GROUP BY row_id, {column}
) AS members
GROUP BY row_id
""",
    )


def _change(rules: Rules) -> Step:
    """Return the step that compares list MRR at both times.

    A move between billing periods is no change of price where list prices are not recorded.
    """
    moved_term, joins = "", ""
    if not rules.list_prices:
        moved_term = "WHEN b.differs = 1 AND p.differs = 0 AND c.seats_differ = 0 THEN 0"
        joins = f"""
JOIN {PLANS} AS p ON p.row_id = c.row_id
JOIN {TERMS} AS b ON b.row_id = c.row_id"""
    return Step(
        CHANGE,
        f"""
SELECT
  c.row_id, c.as_of, c.list_before, c.list_after, c.unpriced,
  CASE {moved_term} WHEN {_counts("c.list_after", "c", rules)} THEN 1 ELSE 0 END AS counts
FROM (
  SELECT
    row_id, MIN(as_of) AS as_of,
    {exact_sum("CASE WHEN at_first = 1 THEN price END")} AS list_before,
    {exact_sum("CASE WHEN at_last = 1 THEN price END")} AS list_after,
    MAX(CASE WHEN at_first + at_last > 0 AND price IS NULL THEN 1 ELSE 0 END) AS unpriced,
    CASE
      WHEN COALESCE(SUM(CASE WHEN at_first = 1 THEN seats END), -1)
        <> COALESCE(SUM(CASE WHEN at_last = 1 THEN seats END), -1)
      THEN 1 ELSE 0
    END AS seats_differ
  FROM {PRICED}
  GROUP BY row_id
) AS c{joins}
""",
    )


def _counts(after: str, table: str, rules: Rules) -> str:
    """Return SQL for "the list MRR `after` differs enough from `list_before`"."""
    before = f"{table}.list_before"
    change = f"{after} - {before}" if rules.sign == 1 else f"{before} - {after}"
    return f"{change} > 0 AND {change} >= {rules.threshold * (1 - TOLERANCE)!r} * {before}"


def _levels(rules: Rules) -> Step:
    """Return the step of list MRR after each start and end; a pause has none, so starts no fall."""
    return Step(
        LEVELS,
        f"""
SELECT
  v.row_id, v.moment,
  CASE WHEN {_counts("v.level", "v", rules)} THEN 1 ELSE 0 END AS holds
FROM (
  SELECT m.row_id, m.moment, MIN(c.list_before) AS list_before, {exact_sum("r.price")} AS level
  FROM (
    SELECT row_id, started_at AS moment FROM {PRICED}
    WHERE started_at >= as_of AND started_at < last_at
    UNION
    SELECT row_id, until_at AS moment FROM {PRICED} WHERE until_at >= as_of AND until_at < last_at
  ) AS m
  JOIN {CHANGE} AS c ON c.row_id = m.row_id AND c.counts = 1
  JOIN {PRICED} AS r
    ON r.row_id = m.row_id AND r.started_at <= m.moment AND r.until_at > m.moment
  GROUP BY m.row_id, m.moment
) AS v
""",
    )


def _moved() -> Step:
    return Step(
        MOVED,
        f"""
SELECT row_id, MIN(CASE WHEN failed_at IS NULL OR moment > failed_at THEN moment END) AS moved_at
FROM (
  SELECT
    row_id, moment,
    MAX(CASE WHEN holds = 0 THEN moment END) OVER (PARTITION BY row_id) AS failed_at
  FROM {LEVELS}
) AS levels
GROUP BY row_id
""",
    )


def _outcomes() -> Step:
    """Return the step of the labels; an account that churned neither expands nor contracts."""
    return outcome_step(
        f"""
  CASE WHEN {CHURNED} THEN 0 ELSE c.counts END AS label,
  COALESCE(m.moved_at, c.as_of) AS outcome_at,
  c.list_after - c.list_before AS amount,
  CAST(NULL AS VARCHAR) AS churn_type""",
        joins=f"""
JOIN {CHANGE} AS c ON c.row_id = d.row_id
LEFT JOIN {MOVED} AS m ON m.row_id = d.row_id""",
        unlabelled=f"""WHEN {CHURNED} THEN ''
    WHEN c.unpriced = 1 THEN 'currency_changed'
    """,
    )
