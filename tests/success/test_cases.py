"""Tables in, metrics out: every case of `tests/cases/metrics/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from tenure.core.config import make_config
from tenure.core.records.metrics import Metric
from tenure.core.times import as_utc, days
from tenure.engine import open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames
from tenure.success.definitions import METRICS
from tenure.success.interpret import MetricsRequest, metrics
from tenure.success.scores.relation import SCHEMA, SCORED
from worlds import SCHEMAS

CASES = Path(__file__).parents[1] / "cases" / "metrics"
RENAMED = {
    "from": "started_at",
    "to": "ended_at",
    "billing": "billing_period",
    "reason": "end_reason",
    "notice": "notice_period_days",
}
EXTRA = {
    "fx_rates": {"currency": pa.string(), "date": pa.timestamp("us"), "rate": pa.float64()},
    "mergers": {
        "account_id": pa.string(),
        "into_account_id": pa.string(),
        "at": pa.timestamp("us"),
    },
}
LATE = {
    "status_at": pa.timestamp("us"),
    "known_at": pa.timestamp("us"),
    "notice_period_days": pa.int64(),
}


def worlds() -> list[Any]:
    return [
        pytest.param(world, id=f"{path.stem}: {world['world']}")
        for path in sorted(CASES.glob("*.yaml"))
        for world in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def moment(value: Any) -> Any:
    return value if not hasattr(value, "year") else as_utc(value)


def subscriptions(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The rows of subscriptions, and the segment of each account."""
    result, segments = [], {}
    for number, row in enumerate(rows):
        values = {RENAMED.get(name, name): moment(value) for name, value in row.items()}
        values["renews_at"] = values.pop("renews", None)
        segment = values.pop("segment", "")
        for copy in range(values.pop("count", 1)):
            account = values.get("account", f"a{number}-{copy}")
            segments[account] = segment
            own = {"account_id": account, "subscription_id": f"s-{account}-{values.get('id', '')}"}
            result.append({k: v for k, v in values.items() if k not in ("account", "id")} | own)
    return result, segments


def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = []
    for number, row in enumerate(rows):
        for copy in range(row.get("count", 1)):
            replied = None if "score" not in row else moment(row.get("at", datetime(2025, 1, 15)))
            result.append(
                {
                    "response_id": f"r{number}-{copy}",
                    "account_id": "a",
                    "respondent_id": row.get("who"),
                    "survey_type": row["type"],
                    "score": row.get("score"),
                    "scale_min": row.get("low"),
                    "scale_max": row.get("high"),
                    "sent_at": moment(row["sent"]) if replied is None else replied - days(1),
                    "responded_at": replied,
                }
            )
    return result


def frames(world: Mapping[str, Any]) -> dict[str, pa.Table]:
    rows, segments = subscriptions(world["subscriptions"])
    tables: dict[str, list[dict[str, Any]]] = {
        "accounts": [
            {"account_id": name, "created_at": datetime(2020, 1, 1), "segment": segment}
            for name, segment in segments.items()
        ],
        "subscriptions": rows,
    }
    if "answers" in world:
        tables["survey_responses"] = answers(world["answers"])
    for name, items in world.get("tables", {}).items():
        tables[name] = [{k: moment(v) for k, v in row.items()} for row in items]
    schemas = {name: dict(columns) for name, columns in (SCHEMAS | EXTRA).items()}
    booked = [name for name in LATE if any(name in row for row in rows)]
    schemas["subscriptions"] |= {name: LATE[name] for name in booked}
    for name in ("usage_events", "tickets"):
        schemas[name].pop("known_at")
    schemas["tickets"].pop("reopened_at")
    return {
        name: pa.Table.from_pylist(items, schema=pa.schema(list(schemas[name].items())))
        for name, items in tables.items()
    }


def with_scored(world: Mapping[str, Any], dataset: Dataset) -> Dataset:
    """The data set with the scores of a world beside it, as `with_scores` reads them."""
    if "scores" not in world:
        return dataset
    bands, rows = world.get("bands", {}), []
    for row in world["scores"]:
        score = {
            "account_id": "a0-0",
            "as_of": moment(row.get("as_of", datetime(2025, 1, 1))),
            "currency": "",
            "mrr": float(row.get("mrr", 10)),
            "probability": row.get("probability", 0.1),
            "outcome": row.get("churned", False),
            "treated": row.get("treated"),
            "paired": any("after" in one for one in world["scores"]),
            "band_rank": row.get("band", 0),
            "after_rank": row.get("after"),
            "worst_rank": bands.get("worst", 2),
            "risk_rank": bands.get("risk", 2),
        }
        rows += [score] * row.get("count", 1)
    dataset.engine.register(SCORED, pa.Table.from_pylist(rows, schema=SCHEMA))
    return replace(dataset, columns={**dataset.columns, SCORED: frozenset(SCHEMA.names)})


def matching(rows: tuple[Metric, ...], case: Mapping[str, Any]) -> Metric:
    (row,) = (
        row
        for row in rows
        if row.name == case["metric"]
        and row.group == case.get("group", {})
        and row.currency == case.get("currency", row.currency)
        and row.method == case.get("shown", case.get("method", METRICS[row.name].methods[0].name))
    )
    return row


@pytest.mark.parametrize("world", worlds())
def test_a_world_gives_its_metrics(world: dict[str, Any], request: pytest.FixtureRequest) -> None:
    settings = {"metrics": world.get("config", {}), "evaluation": world.get("evaluation", {})}
    config = make_config({"data": {"path": "."}, **settings}, base=Path())
    engine = open_engine(config)
    request.addfinalizer(engine.close)
    dataset = load_frames(frames(world), config, engine, observed_until=moment(world["until"]))
    dataset = with_scored(world, dataset)
    wishes: dict[Any, list[dict[str, Any]]] = {}
    for case in world["cases"]:
        period = tuple(map(moment, case.get("period", world.get("period"))))
        by = tuple(case.get("by", world.get("by", ())))
        wishes.setdefault((period, by, case.get("method") and case["id"]), []).append(case)
    wrong: dict[str, str] = {}
    for ((start, end), by, _), cases in wishes.items():
        methods = {case["metric"]: case["method"] for case in cases if "method" in case}
        wish = MetricsRequest(start, end, by, tuple(case["metric"] for case in cases), methods)
        rows = metrics(config, dataset, wish).metrics
        for case in cases:
            wrong |= difference(case, matching(rows, case), world.get("tolerance", 1e-6))
    assert not wrong, "\n".join(f"{name}: {text}" for name, text in wrong.items())


def difference(case: Mapping[str, Any], row: Metric, tolerance: float) -> dict[str, str]:
    """What is wrong with a metric, by the id of its case; empty where nothing is."""
    expected = {part: case[part] for part in ("value", "lo", "hi") if part in case}
    actual = {part: getattr(row, part) for part in expected}
    if actual != pytest.approx(expected, abs=tolerance):
        return {case["id"]: f"{actual} is not {expected} ({row.reason})"}
    if case["value"] is None and case["reason"] not in str(row.reason):
        return {case["id"]: f"{case['reason']!r} is not in {row.reason!r}"}
    return {}


def test_the_pack_is_large_and_every_metric_has_a_case() -> None:
    cases = [case for world in worlds() for case in world.values[0]["cases"]]
    assert len(cases) >= 110
    assert len({case["id"] for case in cases}) == len(cases)
    assert {case["metric"] for case in cases} >= set(METRICS) - {"reopen_rate"}
