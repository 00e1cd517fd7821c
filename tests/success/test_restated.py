"""Every metric by every method equals a slow restatement of its rule, on random histories."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from oracle.oracle_activity import (
    renewal_metrics,
    score_metrics,
    support_metrics,
    use_metrics,
    voice_metrics,
)
from oracle.oracle_metrics import Period, Values, World, account_metrics, money_metrics
from tenure.core.config import make_config
from tenure.core.times import days
from tenure.engine import open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames
from tenure.success import periods
from tenure.success.build import build
from tenure.success.definitions import METRICS
from tenure.success.query import Wanted, constants, measure
from tenure.success.scores.relation import SCHEMA, SCORED
from worlds import SCHEMAS, month, random_world

SETTINGS = {
    "metrics": {
        "notice_period_days": 20,
        "activation_event": "login",
        "csat_thresholds": {"1-5": 3},
        "discount_rate": 0.1,
    },
    "evaluation": {"profit_margin": 0.7},
}
CONFIG = make_config({"data": {"path": "."}, "model": {"threads": 1}, **SETTINGS}, base=Path())
ALL = [Wanted(metric, method) for metric in METRICS.values() for method in metric.methods]
MONTHS = 20
SPANS = [(month(12), month(13)), (month(4), month(20))]
EXTRA = {"subscriptions": {"known_at": pa.timestamp("us"), "status_at": pa.timestamp("us")}}


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    opened = open_engine(CONFIG)
    yield opened
    opened.close()


def frames(seed: int) -> dict[str, pa.Table]:
    """A random world with pauses, ramps, upgrades, mergers and every kind of survey."""
    dice = random.Random(seed)
    world = {
        name: table.to_pylist()
        for name, table in random_world(seed, accounts=40, months=MONTHS, dirty=False).items()
    }
    for row in world["subscriptions"]:
        row["known_at"] = row["started_at"] - days(dice.choice((0, 0, 0, 250)))
        row["status_at"] = None
        if dice.random() < 0.1:
            row |= {"status": "paused", "mrr": 0.0}
        elif dice.random() < 0.05:
            row |= {"status": "paused", "status_at": row["started_at"] + days(40)}
        if row["end_reason"] and dice.random() < 0.3:
            row["end_reason"] = "upgrade"
    for row in world["survey_responses"]:
        if dice.random() < 0.25 and row["survey_type"] == "csat":
            row["survey_type"] = "csi"
        if seed % 2 and row["survey_type"] == "ces":
            row["scale_max"] = 5.0
            row["score"] = None if row["score"] is None else min(row["score"], 5.0)
    names = sorted(row["account_id"] for row in world["accounts"])
    merged = [(names[place], names[place + 1]) for place in dice.sample(range(30), 4)]
    log = [
        {"account_id": one, "into_account_id": other, "at": month(dice.randrange(5, 18), 11)}
        for one, other in merged
    ]
    schemas = {name: columns | EXTRA.get(name, {}) for name, columns in SCHEMAS.items()}
    result = {
        name: pa.Table.from_pylist(rows, schema=pa.schema(list(schemas[name].items())))
        for name, rows in world.items()
    }
    return result | {"mergers": pa.Table.from_pylist(log)}


def scores(seed: int) -> list[dict[str, Any]]:
    """Random scores of a few runs, with what followed."""
    dice, rows = random.Random(seed), []
    for number in range(300):
        churned = dice.random() < 0.2
        rows.append(
            {
                "account_id": f"r{number % 40:03d}",
                "as_of": month(dice.randrange(MONTHS)),
                "currency": dice.choice(("USD", "EUR")),
                "mrr": float(dice.randint(1, 500)),
                "probability": dice.random() / 2,
                "outcome": churned,
                "treated": dice.choice((True, False, None)),
                "paired": dice.random() < 0.8,
                "band_rank": dice.randrange(3),
                "after_rank": None if churned else dice.choice((None, 0, 1, 2)),
                "worst_rank": 2,
                "risk_rank": 2,
            }
        )
    return rows


def measured(dataset: Dataset, start: datetime, end: datetime) -> Values:
    build(CONFIG, dataset, [periods.Period(start, end)], None, {item.relation for item in ALL})
    values = Values()
    for item, one in measure(ALL, (), dataset.engine, constants(CONFIG)).items():
        rows = {key[2]: row for key, row in one.rows.items()} or {None: one.empty}
        for currency, row in rows.items():
            base = 1.0 if item.method.denominator is None else row["denominator"]
            none = row["numerator"] is None or not base or row["mixed"]
            value = None if none else row["numerator"] / base * item.method.scale
            values[item.metric.name, item.method.name, currency] = value
    return values


def restated(dataset: Dataset, start: datetime, end: datetime, rows: list[Any]) -> Values:
    names = ("subscriptions", "usage_events", "tickets", "survey_responses", "mergers")
    tables = {name: dataset.engine.fetch(f"SELECT * FROM {name}").to_pylist() for name in names}
    for row in tables["subscriptions"]:
        row["notice_days"] = CONFIG.metrics.notice_period_days
    world = World(
        tables | {"scores": rows},
        dataset.observed_until,
        CONFIG.metrics.renewal_grace_days,
        CONFIG.metrics.activation_days,
        CONFIG.metrics.activation_event,
        {(1.0, 5.0): 3.0},
        CONFIG.evaluation.profit_margin,
        CONFIG.metrics.discount_rate,
    )
    period = Period(world, start, end)
    chapters = (
        *(money_metrics, account_metrics, renewal_metrics, voice_metrics),
        *(use_metrics, support_metrics, score_metrics),
    )
    return {name: value for chapter in chapters for name, value in chapter(period).items()}


@pytest.mark.parametrize(
    "seed", [2, *(pytest.param(seed, marks=pytest.mark.acceptance) for seed in (1, *range(3, 40)))]
)
def test_every_metric_equals_a_slow_restatement(engine: Any, seed: int) -> None:
    dataset = load_frames(frames(seed), CONFIG, engine, observed_until=month(MONTHS))
    rows = scores(seed)
    engine.register(SCORED, pa.Table.from_pylist(rows, schema=SCHEMA))
    dataset = replace(dataset, columns={**dataset.columns, SCORED: frozenset(SCHEMA.names)})
    valued = set()
    for start, end in SPANS:
        own, slow = measured(dataset, start, end), restated(dataset, start, end, rows)
        assert {name[:2] for name in slow} == {(one.metric.name, one.method.name) for one in ALL}
        wrong = {
            name: (value, own.get(name))
            for name, value in slow.items()
            if (own.get(name) or 0) != pytest.approx(value or 0, abs=1e-6)
        }
        assert not wrong, wrong
        valued |= {name[:2] for name, value in slow.items() if value}
    assert len(valued) > 0.8 * len(ALL)
