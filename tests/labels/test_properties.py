"""Random histories: equal to the slow restatement, and blind to what was not known."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histories import LAST, Row, history, subscription
from oracle import oracle_labels
from tenure.core.config import LabelConfig
from tenure.engine.base import Engine
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS, label, label_horizons
from tenure.sources.dataset import Dataset

ORIGIN = datetime(2024, 1, 1)
CUTOFFS = [ORIGIN + timedelta(days=day) for day in (40, 71, 101, 130)]
UNTIL = ORIGIN + timedelta(days=240)
MICRO = timedelta(microseconds=1)
# What a statement costs hardly depends on its rows: few large worlds hold as many histories.
RANDOM = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Maker:
    """Draws histories that are rich in the cases that break a cut."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.reasons = random.Random(~seed)

    def moment(self, last: int = 220) -> datetime:
        """Return a time, often at a cut-off or the edge of a window, or a microsecond off."""
        if self.dice.random() < 0.5:
            edge = self.dice.choice(CUTOFFS) + timedelta(days=self.dice.choice([0, 5, 45, 50, 65]))
            return edge + self.dice.choice([-1, 0, 1]) * MICRO
        return ORIGIN + timedelta(days=self.dice.randint(0, last))

    def account(self, account: str) -> list[Row]:
        """Return one or two subscriptions, each a chain of periods with pauses between them."""
        rows: dict[tuple[str, datetime], Row] = {}
        for name in ("s1", "s2")[: self.dice.choice([1, 1, 2])]:
            start = self.moment(last=40)
            for _ in range(self.dice.randint(1, 5)):
                row = self.period(account, name, start)
                rows.setdefault((name, start), row)
                if row["ended_at"] is None:
                    break
                start = row["ended_at"] + timedelta(days=self.dice.choice([0, 0, 0, 5, 19, 20, 21]))
        return list(rows.values())

    def period(self, account: str, name: str, start: datetime) -> Row:
        pick = self.dice.choice
        length = pick([None, 0, 1, 20, 30, 31, 60, 100])
        end = None if length is None else start + timedelta(days=length)
        if end is not None and pick([True, False]):
            end = max(start, self.moment())
        notice = pick([None, None, self.moment()])
        reason = self.reasons.choice([None, "voluntary", "involuntary", "non_renewal"])
        return subscription(
            start,
            end,
            pick([0.0, 50.0, 100.0, 100.0, 110.0, 0.3, 0.33, 90.0]),
            account=account,
            id=name,
            days=pick([None, 30, 90]),
            months=pick([None, None, 1, 3]),
            renews=pick([None, None, start + timedelta(days=45)]),
            successor_known=pick([None] * 5 + [self.moment()]),
            notice=notice if notice is not None and notice >= start else None,
            known_at=start + pick([timedelta(0), timedelta(0), LAST, timedelta(days=25)]),
            end_reason=None if end is None else reason,
            ended_at__known=None if end is None else end + pick([timedelta(0), LAST]),
            seats=pick([None, 5, 6]),
            plan=pick(["basic", "pro", "pro", None]),
            billing_period=pick(["monthly", "annual"]),
            currency=pick(["USD"] * 8 + ["EUR", None]),
            status=pick(["active", "active", "active", "trialing"]),
            discount=pick([None, None, 0.5, 1.0]),
        )


class World(list[Row]):
    """Rows that say of themselves how to make them again."""

    def __init__(self, seed: int, accounts: int) -> None:
        maker = Maker(seed)
        self.name = f"World({seed}, {accounts})"
        super().__init__(row for number in range(accounts) for row in maker.account(f"a{number}"))

    def __repr__(self) -> str:
        return self.name


WORLDS = st.builds(World, st.integers(0, 2**32), st.integers(20, 50))
ANY_WORLDS = st.builds(World, st.integers(0, 2**32), st.integers(1, 30))
LABELS = st.builds(
    LabelConfig,
    horizon_days=st.just(45),
    gap_days=st.sampled_from([0, 5]),
    winback_gap_days=st.sampled_from([0, 20]),
    dated_by=st.sampled_from(["decided", "effective"]),
    threshold=st.just(0.1),
)


@RANDOM
@given(rows=WORLDS)
def test_snapshots_equal_the_oracle(engine: Engine, rows: list[Row]) -> None:
    snaps = snapshots(history(engine, rows, UNTIL), CUTOFFS)
    got = {(snap["account_id"], snap["as_of"]): snap for snap in _records(snaps)}
    wanted = {}
    for account, own in _by_account(rows).items():
        for as_of in CUTOFFS:
            snap = oracle_labels.snapshot(own, as_of)
            if snap is not None:
                wanted[account, as_of] = snap
    assert set(got) == set(wanted)
    for key, snap in wanted.items():
        for column, value in snap.items():
            assert _equal(got[key][column], value), (key, column, got[key], snap)


ABSENT = st.sampled_from([(), ("list_mrr",)])


@settings(RANDOM, max_examples=5)
@given(rows=WORLDS, labels=LABELS, absent=ABSENT)
def test_labels_equal_the_oracle(
    engine: Engine, rows: list[Row], labels: LabelConfig, absent: tuple[str, ...]
) -> None:
    world = history(engine, rows, UNTIL, absent=absent)
    snaps = snapshots(world, CUTOFFS)
    for target in TARGETS:
        _compare(world, snaps, rows, target, labels)


@pytest.mark.acceptance
@pytest.mark.parametrize("target", sorted(TARGETS))
@settings(RANDOM, max_examples=300)
@given(rows=ANY_WORLDS, labels=LABELS, absent=ABSENT)
def test_labels_equal_the_oracle_in_many_worlds(
    engine: Engine, target: str, rows: list[Row], labels: LabelConfig, absent: tuple[str, ...]
) -> None:
    world = history(engine, rows, UNTIL, absent=absent)
    _compare(world, snapshots(world, CUTOFFS), rows, target, labels)


def _compare(
    world: Dataset, snaps: pd.DataFrame, rows: list[Row], target: str, labels: LabelConfig
) -> None:
    rules = oracle_labels.Settings(
        labels.horizon_days,
        labels.gap_days,
        labels.winback_gap_days,
        labels.dated_by,
        labels.threshold,
        has_list_prices=world.has("subscriptions", "list_mrr"),
    )
    owned = _by_account(rows)
    for got in _records(label(world, snaps, TARGETS[target], labels)):
        own = owned[got["account_id"]]
        wanted = oracle_labels.label(own, got["as_of"], target, rules, UNTIL)
        assert got["drop_reason"] == wanted["drop_reason"], (got, wanted)
        assert _equal(got["label"], wanted["label"]), (got, wanted)
        assert got["label_known_at"] == oracle_labels.known_when(got["as_of"], rules)
        if wanted["label"] == 1 and wanted["outcome_at"] is not None:
            assert got["outcome_at"] == wanted["outcome_at"]
        if wanted["label"] == 1 and wanted["amount"] is not None:
            assert got["outcome_amount"] == pytest.approx(wanted["amount"])


@pytest.mark.parametrize("target", ["churn", "expansion", "renewal"])
@settings(RANDOM, max_examples=2)
@given(rows=WORLDS, labels=LABELS)
def test_each_horizon_is_labelled_as_if_it_were_the_only_one(
    engine: Engine, target: str, rows: list[Row], labels: LabelConfig
) -> None:
    world = history(engine, rows, UNTIL)
    snaps = snapshots(world, CUTOFFS)
    several = labels.model_copy(update={"horizons": [20, 90, "renewal"]})
    found = label_horizons(world, snaps, TARGETS[target], several)
    named = ["45"] if target == "renewal" else ["45", "20", "90", "renewal", "30"]
    assert list(found) == named
    for frame in found.values():
        due = frame["drop_reason"] != "no_renewal_due"
        for days in frame.loc[due, "horizon_days"].unique()[:3]:
            some = due & (frame["horizon_days"] == days)
            alone = label(world, snaps, TARGETS[target], labels, horizon=int(days))
            pd.testing.assert_frame_equal(
                frame[some].drop(columns="horizon"), alone[some].drop(columns="horizon")
            )


@RANDOM
@given(rows=WORLDS, labels=LABELS)
def test_the_renewal_horizon_just_holds_the_renewal_date(
    engine: Engine, rows: list[Row], labels: LabelConfig
) -> None:
    world = history(engine, rows, UNTIL)
    snaps = snapshots(world, CUTOFFS)
    several = labels.model_copy(update={"horizons": [60, "renewal"]})
    for snap in _records(label(world, snaps, TARGETS["churn"], several, horizon="renewal")):
        start = snap["as_of"] + timedelta(days=labels.gap_days)
        due = snap["renews_at"]
        reachable = not pd.isna(due) and start <= due < start + timedelta(days=60)
        assert reachable or snap["drop_reason"] in ("no_renewal_due", "notice_given", "censored")
        if reachable:
            last = start + timedelta(days=snap["horizon_days"])
            assert last - timedelta(days=1) <= due < last
            assert snap["label_known_at"] == last + timedelta(days=labels.winback_gap_days)


@RANDOM
@given(rows=WORLDS, labels=LABELS)
def test_who_churned_early_has_churned_later(
    engine: Engine, rows: list[Row], labels: LabelConfig
) -> None:
    """Unless what was known was revised: a notice withdrawn, a row recorded late."""
    settled = [
        row | {"known_at": row["event_time"], "notice_at": None, "ended_at__known": row["ended_at"]}
        for row in rows
    ]
    world = history(engine, settled, UNTIL)
    several = labels.model_copy(update={"horizons": [20, 90]})
    found = label_horizons(world, snapshots(world, CUTOFFS), TARGETS["churn"], several)
    labelled = [found[name]["label"] for name in ("20", "45", "90")]
    for shorter, longer in itertools.pairwise(labelled):
        assert not ((shorter == 1) & (longer == 0)).any()


@RANDOM
@given(rows=WORLDS, labels=LABELS)
def test_kinds_of_churn_are_parts_of_churn(
    engine: Engine, rows: list[Row], labels: LabelConfig
) -> None:
    world = history(engine, rows, UNTIL)
    snaps = snapshots(world, CUTOFFS)
    churn = label(world, snaps, TARGETS["churn"], labels)
    for kind in ("voluntary", "involuntary"):
        part = label(world, snaps, TARGETS[f"churn_{kind}"], labels)
        same_kind = churn["churn_type"] == kind
        assert ((part["label"] == 1) == ((churn["label"] == 1) & same_kind)).all()
        unknown = part["drop_reason"] == "churn_type_unknown"
        assert (unknown == ((churn["label"] == 1) & churn["churn_type"].isna())).all()


@RANDOM
@given(rows=WORLDS, seed=st.integers(0, 2**32))
def test_snapshots_see_nothing_that_was_not_known(
    engine: Engine, rows: list[Row], seed: int
) -> None:
    dice = random.Random(seed)
    as_of = dice.choice(CUTOFFS)
    before = snapshots(history(engine, rows, UNTIL), [as_of])
    changed = _rewritten(rows, as_of, dice)
    after = snapshots(history(engine, changed, UNTIL), [as_of])
    pd.testing.assert_frame_equal(before, after)


@settings(RANDOM, max_examples=3)
@given(rows=WORLDS, seed=st.integers(0, 2**32))
def test_labels_see_nothing_at_or_after_they_are_known(
    engine: Engine, rows: list[Row], seed: int
) -> None:
    dice = random.Random(seed)
    labels = LabelConfig(horizon_days=45, winback_gap_days=20)
    as_of = dice.choice(CUTOFFS)
    known_at = as_of + timedelta(days=65)
    before = _all_labels(history(engine, rows, UNTIL), as_of, labels)
    changed = _rewritten(rows, known_at, dice)
    after = _all_labels(history(engine, changed, UNTIL), as_of, labels)
    pd.testing.assert_frame_equal(before, after)


@settings(RANDOM, max_examples=2)
@given(rows=WORLDS, seed=st.integers(0, 2**32))
def test_neither_the_order_of_rows_nor_other_accounts_matter(
    engine: Engine, rows: list[Row], seed: int
) -> None:
    labels = LabelConfig(horizon_days=45, winback_gap_days=20)
    whole = _all_labels(history(engine, rows, UNTIL), CUTOFFS[0], labels)
    mixed = random.Random(seed).sample(rows, len(rows))
    pd.testing.assert_frame_equal(
        whole, _all_labels(history(engine, mixed, UNTIL), CUTOFFS[0], labels)
    )
    alone = [row for row in rows if row["account_id"] == "a1"]
    pd.testing.assert_frame_equal(
        whole[whole["account_id"] == "a1"].reset_index(drop=True),
        _all_labels(history(engine, alone, UNTIL), CUTOFFS[0], labels),
        check_dtype=False,
    )


def _all_labels(world: Dataset, as_of: datetime, labels: LabelConfig) -> pd.DataFrame:
    snaps = snapshots(world, [as_of])
    parts = [
        label(world, snaps, target, labels).assign(target=name) for name, target in TARGETS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _rewritten(rows: list[Row], moment: datetime, dice: random.Random) -> list[Row]:
    """Change everything that was not known before a moment: rows, ends and notices."""
    result = []
    for row in rows:
        if max(row["started_at"], row["event_time"], row["known_at"]) >= moment:
            if dice.random() < 0.5:
                result.append(row | {"mrr": 7.0, "list_price": 7.0, "paid": True, "plan": "x"})
            continue
        late: Row = {}
        if row["ended_at"] is None or row["ended_at__known"] >= moment:
            end = dice.choice([None, moment, moment + timedelta(days=9)])
            late |= {"ended_at": end, "ended_at__known": end, "end_reason": "involuntary"}
        if row["notice_at"] is None or row["notice_at__known"] >= moment:
            notice = dice.choice([None, moment])
            late |= {"notice_at": notice, "notice_at__known": notice}
        result.append(row | late)
    new = dice.choice(["a0", "a99"])
    return [*result, subscription(moment, account=new, id="new")]


def _by_account(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["account_id"], []).append(row)
    return found


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(row) for _, row in frame.iterrows()]


def _equal(got: Any, wanted: Any) -> bool:
    if wanted is None:
        return bool(pd.isna(got))
    if isinstance(wanted, float):
        return bool(got == pytest.approx(wanted))
    return bool(got == wanted)
