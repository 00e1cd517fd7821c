"""Scorecards as records: of one account, and the places of a book on the health map."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.records.scorecards import (
    AccountScorecards,
    ComposedScore,
    HealthMap,
    MapCell,
    MeasureScore,
    Scorecard,
)
from tenure.core.sections import SuccessConfig
from tenure.success.scorecards.cards import EXPERIENCE, HEALTH, OUTCOMES, SUCCESS, CardTable
from tenure.success.scorecards.declarations import CARDS, MeasureDeclaration
from tenure.success.scorecards.measure import ADVOCACY_RULE

COLOURS = ("red", "amber", "green")
BAND_COLOURS = {"high": "red", "medium": "amber", "low": "green"}
THIRDS = ("low", "middle", "high")
EDGES = (50.0, 75.0)
"""Points that part low, middle and high experience and outcomes."""


def account_scorecards(
    table: CardTable, account: str, config: Config, moments: tuple[datetime, datetime]
) -> AccountScorecards:
    """Return the scorecards of one account of a table.

    The table is that of `card_table`; `moments` are the prediction time, and the earlier one that
    it is compared with.
    """
    place = table.points.index.get_loc(account)
    points, change = dict(table.points.iloc[place]), dict(table.change.iloc[place])
    coverage, values = dict(table.coverage.iloc[place]), dict(table.values.iloc[place])
    cards = tuple(
        Scorecard(
            name=card,
            score=number(points[card]),
            coverage=float(coverage[card]),
            trend=number(change[card]),
            measures=tuple(
                _measure(item, table, (values, points, change))
                for item in table.measures.measures
                if item.card == card
            ),
        )
        for card in CARDS
    )
    health = None
    if config.success.health:
        health = ComposedScore(
            score=number(points[HEALTH]),
            coverage=float(coverage[HEALTH]),
            trend=number(change[HEALTH]),
        )
    return AccountScorecards(
        account_id=account,
        as_of=moments[0],
        compared_with=moments[1],
        cards=cards,
        customer_success=number(points[SUCCESS]),
        join=config.success.join,
        advocacy_rule=ADVOCACY_RULE,
        health=health,
    )


def _measure(
    item: MeasureDeclaration, table: CardTable, row: tuple[dict[Any, Any], ...]
) -> MeasureScore:
    values, points, change = row
    value = number(values[item.column])
    return MeasureScore(
        name=item.name,
        value=value,
        score=number(points[item.name]),
        trend=number(change[item.name]),
        reason=None if value is not None else table.measures.reason(item),
    )


def number(value: Any) -> float | None:
    """Return a number as float, None where it is missing."""
    return None if pd.isna(value) else float(value)


def health_map(
    table: CardTable,
    kind: Literal["health", "experience"],
    config: Config,
    as_of: datetime,
    bands: pd.Series[str] | None = None,
) -> HealthMap:
    """Return a book by health and revenue, or by experience and outcomes.

    The table is that of `card_table` at `as_of`.  `bands` are the risk bands by account_id that
    stand for health where the config weights none.
    """
    if kind == "experience":
        x, y = (_cut(table.points[name].to_numpy(), EDGES) for name in (EXPERIENCE, OUTCOMES))
        axes, rules = (THIRDS, THIRDS), (_by_points(EXPERIENCE), _by_points(OUTCOMES))
    else:
        x, x_rule = _colours(table, config.success, bands)
        y = _money_thirds(table.accounts)
        rules = (x_rule, "MRR: thirds of the accounts that pay in the same currency")
        axes = (COLOURS, THIRDS)
    places = [(name, other) for name in axes[0] for other in axes[1]]
    cells = tuple(_cell(table, name, other, (x == name) & (y == other)) for name, other in places)
    missing = (x == "") | (y == "")
    return HealthMap(
        kind=kind,
        as_of=as_of,
        x_rule=rules[0],
        y_rule=rules[1],
        x=axes[0],
        y=axes[1],
        cells=cells,
        left_out=_cell(table, "", "", missing),
    )


def _by_points(name: str) -> str:
    low, high = EDGES
    return f"{name.replace('_', ' ')}: low under {low:g}, high from {high:g} of 100"


def _colours(
    table: CardTable, settings: SuccessConfig, bands: pd.Series[str] | None
) -> tuple[Any, str]:
    """Return the health of each account as a colour, empty where it has none, and the rule."""
    if settings.health:
        edges = (settings.red_below, settings.green_at)
        rule = f"weighted health: red under {edges[0]:g}, green from {edges[1]:g} of 100"
        return _cut(table.points[HEALTH].to_numpy(), edges, COLOURS), rule
    if bands is None:
        return np.full(len(table.points), ""), "health: there are no scores of this time"
    shown = bands.reindex(table.points.index).map(BAND_COLOURS).fillna("")
    return shown.to_numpy(dtype=str), "risk band of churn: red is high, green is low"


def _cut(points: Any, edges: tuple[float, float], names: tuple[str, ...] = THIRDS) -> Any:
    known = ~np.isnan(points)
    place = np.digitize(np.where(known, points, 0.0), edges)
    return np.where(known, np.asarray(names)[place], "")


def _money_thirds(accounts: pd.DataFrame) -> Any:
    """Return in which third of its currency the MRR of each account lies."""
    currency = accounts["currency"].fillna("")
    place = accounts["mrr"].groupby(currency).rank(method="average", pct=True).to_numpy()
    return np.asarray(THIRDS)[np.digitize(place, (1 / 3, 2 / 3), right=True)]


def _cell(table: CardTable, x: str, y: str, inside: Any) -> MapCell:
    own = table.accounts[inside]
    sums = own["mrr"].groupby(own["currency"].fillna("")).sum()
    mrr = {str(name): float(amount) for name, amount in sums.items()}
    return MapCell(x=x, y=y, accounts=len(own), mrr=mrr)
