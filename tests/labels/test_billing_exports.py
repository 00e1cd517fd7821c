"""One truth, written as billing tools write it: labels and features do not depend on the rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle.oracle_labels import months_later
from tenure.core.config import LabelConfig, make_config
from tenure.engine.base import Engine
from tenure.features.compute.matrix import build
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import resolve_plan
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS, label
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames

Row = dict[str, Any]
UNTIL = datetime(2024, 7, 1)
CUTOFFS = [datetime(2022 + month // 12, month % 12 + 1, 1) for month in range(3, 30)]
TIME, TEXT, NUMBER = pa.timestamp("us"), pa.string(), pa.float64()
COLUMNS = {
    **dict.fromkeys(("subscription_id", "account_id", "billing_period", "end_reason"), TEXT),
    **dict.fromkeys(("started_at", "ended_at", "renews_at", "notice_at"), TIME),
    "mrr": NUMBER,
    "seats": pa.int64(),
}
ABOUT_ROWS = ("paid_periods", "mrr_begun", "mrr_ended", "days_since_change", "billing_period")
"""Features of the rows that began and ended, whether anything changed or not, and of the last."""


class Subscription:
    """A subscription in truth: terms, a price for each, how it ended, and its notice."""

    def __init__(self, dice: random.Random, account: str, name: str) -> None:
        self.keys = {"account_id": account, "subscription_id": name}
        self.months = dice.choice([1, 1, 12])
        terms = dice.randint(1, 24 if self.months == 1 else 3)
        # Later days of a month are lost where a row begins in February.
        start = datetime(2022 + dice.randint(0, 1), dice.randint(1, 12), dice.randint(1, 28))
        dates = [months_later(start, self.months * n) for n in range(terms + 1)]
        self.edges = [edge for edge in dates if edge < UNTIL]
        self.ends = dates[-1] < UNTIL
        if not self.ends:
            self.edges.append(next(date for date in dates if date >= UNTIL))
        self.prices = [100.0]
        for _ in self.edges[2:]:
            self.prices.append(dice.choice([*self.prices[-1:] * 6, 50.0, 120.0, 200.0]))
        reasons = ["voluntary", "involuntary", "non_renewal"]
        self.reason = dice.choice(reasons) if self.ends else None
        days = dice.randint(1, 27 if self.months == 1 else 300)
        notice = self.edges[-1] - timedelta(days=days)
        silent = self.reason == "involuntary" or dice.random() < 0.4
        self.notice = None if silent or notice >= UNTIL else notice

    def row(self, start: datetime, end: datetime, term: int, agreed: datetime | None) -> Row:
        """Return the row of a stretch at the price of a term."""
        last = end == self.edges[-1]
        return self.keys | {
            "billing_period": f"{self.months}m",
            "started_at": start,
            "ended_at": end if self.ends or not last else None,
            "end_reason": self.reason if last else None,
            "renews_at": agreed,
            "notice_at": self.notice if self.notice and end > self.notice else None,
            "mrr": self.prices[term],
            "seats": int(self.prices[term] / 10),
        }

    def by_term(self) -> Iterator[Row]:
        for term, (start, end) in enumerate(pairwise(self.edges)):
            yield self.row(start, end, term, end)

    def by_month(self) -> Iterator[Row]:
        first = self.edges[0]
        for term, end in enumerate(self.edges[1:]):
            for month in range(self.months):
                start = months_later(first, self.months * term + month)
                stop = months_later(first, self.months * term + month + 1)
                if start < UNTIL:
                    row = self.row(start, stop, term, end)
                    yield row | {"ended_at": None if stop >= UNTIL else stop}

    def by_price(self, dates: str) -> Iterator[Row]:
        """Yield one row per price, its renewal date left out, agreed, or as of the last day."""
        begun = [0] + [n for n in range(1, len(self.prices)) if self.differs(n)]
        for first, after in pairwise([*begun, len(self.prices)]):
            agreed = {"none": None, "agreed": first + 1, "overwritten": after}[dates]
            date = None if agreed is None else self.edges[agreed]
            yield self.row(self.edges[first], self.edges[after], first, date)

    def differs(self, term: int) -> bool:
        return self.prices[term] != self.prices[term - 1]


def world(engine: Engine, truth: list[Subscription], form: str) -> Dataset:
    """Load a truth in one of its forms."""
    by = {"term": Subscription.by_term, "month": Subscription.by_month}
    rows = [
        row for item in truth for row in (by[form](item) if form in by else item.by_price(form))
    ]
    names = sorted({item.keys["account_id"] for item in truth})
    accounts = {"account_id": names, "created_at": [datetime(2022, 1, 1)] * len(names)}
    frames = {
        "accounts": pa.table(accounts, schema=pa.schema({"account_id": TEXT, "created_at": TIME})),
        "subscriptions": pa.Table.from_pylist(rows, schema=pa.schema(list(COLUMNS.items()))),
    }
    config = make_config({"data": {"path": "."}}, base=Path())
    return load_frames(frames, config, engine, observed_until=UNTIL)


class Truth(list[Subscription]):
    """Subscriptions that say of themselves how to make them again."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self.name = f"Truth({seed})"
        super().__init__(
            Subscription(dice, f"a{account}", f"a{account}-{number}")
            for account in range(12)
            for number in range(dice.choice([1, 1, 2]))
        )

    def __repr__(self) -> str:
        return self.name


FORMS = ("none", "agreed", "overwritten", "month")
SOME = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SOME
@given(truth=st.builds(Truth, st.integers(0, 2**32)))
def test_labels_and_features_do_not_depend_on_how_rows_are_cut(
    engine: Engine, truth: Truth
) -> None:
    _compare(engine, truth)


@pytest.mark.acceptance
@settings(SOME, max_examples=60)
@given(truth=st.builds(Truth, st.integers(0, 2**32)))
def test_they_do_not_in_many_worlds(engine: Engine, truth: Truth) -> None:
    _compare(engine, truth)


def _compare(engine: Engine, truth: Truth) -> None:
    terms = world(engine, truth, "term")
    labels, features = _labels(terms), _features(terms)
    for form in FORMS:
        other = world(engine, truth, form)
        pd.testing.assert_frame_equal(_labels(other), labels, obj=form)
        pd.testing.assert_frame_equal(_features(other), features, obj=form)


def _labels(dataset: Dataset) -> pd.DataFrame:
    snaps = snapshots(dataset, CUTOFFS)
    columns = ("label", "drop_reason", "outcome_at", "outcome_amount")
    frames = [snaps]
    for name in ("churn", "churn_voluntary", "expansion", "contraction", "renewal"):
        labelled = label(dataset, snaps, TARGETS[name], LabelConfig())
        if name == "renewal":
            # Which row of a second subscription is the first beyond the date depends on its rows.
            early = labelled["outcome_at"] < labelled["renews_at"]
            labelled["outcome_at"] = labelled["outcome_at"].mask(early, labelled["renews_at"])
        frames.append(labelled[list(columns)].add_prefix(f"{name}_"))
    return pd.concat(frames, axis=1)


def _features(dataset: Dataset) -> pd.DataFrame:
    plan = resolve_plan([FAMILIES["subscription"]], dataset.columns)
    matrix = build(dataset.engine, snapshots(dataset, CUTOFFS), plan)
    assert {"days_to_renewal", "term_done", "mrr_change_182d"} <= set(matrix.values)
    counted = [name for name in matrix.values if str(name).startswith(ABOUT_ROWS)]
    return matrix.values.drop(columns=counted)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_lapses_of_later_terms(engine: Engine, form: str) -> None:
    truth = Truth(8)
    labelled = _labels(world(engine, truth, form))
    dated = labelled[labelled["renews_at"].notna()]
    assert (dated["renews_at"] >= dated["as_of"]).all()
    first = {item.edges[1] for item in truth}
    later = labelled[~labelled["renews_at"].isin(first)]["renewal_label"].value_counts()
    assert later[1.0] > 20
    assert later[0.0] > 3
