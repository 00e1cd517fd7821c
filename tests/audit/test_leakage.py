"""Columns that know the outcome are named; honest ones are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tenure.audit.leakage import suspicious
from tenure.core.records.audit import SuspectRecord
from tenure.features.compute.matrix import FeatureMatrix
from tenure.features.plan.columns import FeatureSpec

ACCOUNTS, TIMES = 400, 12
DICE = np.random.default_rng(0)


def spec(name: str, family: str = "usage", *, text: bool = False) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        family=family,
        sentence="{value}",
        unit="text" if text else "number",
        direction=0,
        lever=False,
        text=text,
        group=f"tickets.{name}",
        window=None,
        source="tickets",
    )


def labelled(rate: float = 0.05, accounts: int = ACCOUNTS) -> pd.DataFrame:
    """Return accounts that are asked each month until they leave, and two months before it."""
    leaves = np.random.default_rng(1).geometric(rate, accounts)
    rows = [
        (f"a{number:03d}", pd.Timestamp(2023, 1 + month, 1), float(leaves[number] - month <= 2))
        for month in range(TIMES)
        for number in range(accounts)
        if month < leaves[number]
    ]
    frame = pd.DataFrame(rows, columns=["account_id", "as_of", "label"])
    return frame.assign(label_known_at=frame["as_of"] + pd.Timedelta(days=60))


def matrix(rows: pd.DataFrame, *, family: str = "usage", **columns: Any) -> FeatureMatrix:
    values = pd.DataFrame(columns, index=range(len(rows)))
    words = {name: not pd.api.types.is_numeric_dtype(values[name]) for name in columns}
    specs = {name: spec(name, family, text=words[name]) for name in columns}
    return FeatureMatrix(rows, values, specs)


def of(
    rows: pd.DataFrame, how: dict[str, Any] | None = None, **columns: Any
) -> list[SuspectRecord]:
    return suspicious(matrix(rows, **columns), {"churn": rows}, **(how or {}))


def test_honest_columns_are_not_named() -> None:
    rows = labelled()
    strong = rows["label"] + DICE.normal(0, 0.9, len(rows))
    assert of(rows, noise=DICE.normal(size=len(rows)), strong=strong) == []


def test_a_number_that_knows_is_named_with_its_interval() -> None:
    rows = labelled()
    leak = rows["label"] + DICE.normal(0, 0.3, len(rows))
    found = of(rows, leak=leak, noise=DICE.normal(size=len(rows)))
    first = next(item for item in found if item.kind == "forward")
    assert (first.column, first.target, first.allowed) == ("leak", "churn", False)
    assert 0.95 < first.figure <= 1
    assert first.lo is not None
    assert first.lo <= first.figure
    assert {item.column for item in found} == {"leak"}
    assert "leak" in first.text


def test_the_direction_does_not_matter_and_missing_may_be_what_tells() -> None:
    rows = labelled()
    absent = np.where(rows["label"] == 1, 1.0, np.nan)
    found = of(rows, absent=absent, below=-rows["label"].to_numpy())
    assert {item.column for item in found if item.kind == "forward"} == {"absent", "below"}


def test_words_are_learnt_from_the_past() -> None:
    rows = labelled()
    said = np.where(rows["label"] == 1, "closing", "open").astype(object)
    found = of(rows, said=said)
    assert {item.kind for item in found} == {"forward", "certain"}
    assert next(item for item in found if item.kind == "certain").value == "closing"


def test_a_rare_value_that_is_always_followed_by_the_outcome_is_named() -> None:
    rows = labelled()
    some = (rows["label"] == 1) & (np.random.default_rng(2).random(len(rows)) < 0.3)
    [found] = of(rows, flag=some.to_numpy(dtype=float))
    assert (found.kind, found.figure, found.value) == ("certain", 1.0, "above 0")
    assert found.events >= 10


def test_what_was_overwritten_at_the_end_is_named_by_accounts() -> None:
    rows = labelled(rate=0.02)
    ever = rows.groupby("account_id")["label"].transform("max")
    stage = np.where(ever == 1, "former", "customer").astype(object)
    found = of(rows, stage=stage)
    by_account = [item for item in found if item.kind == "accounts"]
    assert [item.figure for item in by_account] == [pytest.approx(1.0)]


def test_an_honest_constant_is_not_named() -> None:
    rows = labelled()
    segment = rows["account_id"].str[-1].to_numpy(dtype=object)
    assert of(rows, segment=segment) == []


def test_what_is_allowed_by_name_is_marked() -> None:
    rows = labelled()
    leak = rows["label"].to_numpy()
    found = of(rows, {"allow": ["leak"]}, leak=leak)
    assert found
    assert all(item.allowed for item in found)
    raw = suspicious(matrix(rows, family="raw", leak=leak), {"churn": rows})
    assert {item.column for item in raw} == {"tickets.leak"}


def test_the_limit_is_the_users() -> None:
    rows = labelled()
    strong = rows["label"] + DICE.normal(0, 0.9, len(rows))
    assert [item.column for item in of(rows, {"limit": 0.7}, strong=strong)] == ["strong"]


def test_a_short_history_is_measured_on_other_accounts() -> None:
    rows = labelled()
    rows = rows.assign(label_known_at=rows["as_of"] + pd.Timedelta(days=900))
    found = of(rows, leak=rows["label"].to_numpy(), noise=DICE.normal(size=len(rows)))
    assert {item.column for item in found if item.kind == "forward"} == {"leak"}


def test_too_few_outcomes_say_nothing() -> None:
    rows = labelled(rate=0.01, accounts=20)
    assert rows.loc[rows["label"] == 1, "account_id"].nunique() < 5
    assert of(rows, leak=rows["label"].to_numpy()) == []


def test_rows_without_a_label_are_left_out() -> None:
    rows = labelled()
    rows.loc[::3, "label"] = np.nan
    found = of(rows, leak=rows["label"].fillna(0.5).to_numpy())
    assert "leak" in {item.column for item in found}
