"""The simulated businesses of the benchmarks: equal by seed, at their rates, true in the large."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from house.tree import ROOT

KINDS = ("saas", "hierarchical", "bursty", "strong", "weekly", "surveys_only")
CLOCKS = ("started_at", "occurred_at", "opened_at", "sent_at", "issued_at")
LATE = {
    "subscriptions": ("ended_at", "notice_at"),
    "tickets": ("first_responded_at", "resolved_at", "csat_at"),
    "survey_responses": ("responded_at",),
    "invoices": ("paid_at",),
}


@pytest.fixture
def businesses(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


def simulated(businesses: Any, kind: str, **options: Any) -> Any:
    package = businesses("businesses")
    return package.simulate(kind, package.Options(**({"n_accounts": 300, "months": 14} | options)))


def lived(businesses: Any, kind: str, **options: Any) -> Any:
    package = businesses("businesses")
    settings = package.Options(**({"n_accounts": 300, "months": 14} | options))
    return businesses("businesses.lives").live(package.KINDS[kind], settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_one_world_and_another_seed_another(businesses: Any, kind: str) -> None:
    size = {"n_accounts": 40, "months": 8}
    first, again = (simulated(businesses, kind, seed=3, **size) for _ in range(2))
    other = simulated(businesses, kind, seed=4, **size)
    assert set(first.tables) == set(again.tables)
    for name, frame in first.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[name])
    assert not first.tables["subscriptions"].equals(other.tables["subscriptions"])
    pd.testing.assert_frame_equal(first.truth(replays=2), again.truth(replays=2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_as_many_leave_as_the_truth_says(businesses: Any, kind: str, rate: float) -> None:
    lives = lived(businesses, kind, n_accounts=600, base_rate=rate)
    months = pd.date_range("2023-04-01", periods=4, freq="QS")  # windows that do not overlap
    outcomes = businesses("businesses.truth").outcomes(lives, months)
    truth = businesses("businesses.truth").truth(
        businesses("businesses").KINDS[kind], lives, months, replays=4
    )
    assert (outcomes[["account_id", "as_of"]] == truth[["account_id", "as_of"]]).all(axis=None)
    assert truth["churn_90"].mean() == pytest.approx(rate, rel=0.3)
    for target in ("churn_90", "expansion_90"):
        chance = truth[target]
        error = np.sqrt((chance * (1 - chance)).sum())
        assert abs(outcomes[target].sum() - chance.sum()) < 4 * error
        upper = chance > chance.median()
        assert outcomes[target][upper].mean() > outcomes[target][~upper].mean()


def test_a_shock_passes_stays_or_comes_each_year(businesses: Any) -> None:
    lives = {
        shock: lived(businesses, "saas", shock=shock, shock_month=6)
        for shock in ("none", "passes", "stays", "season")
    }
    quiet = lives["none"].churn_rate
    passes, stays, season = (lives[s].churn_rate / quiet for s in ("passes", "stays", "season"))
    month = np.arange(len(quiet)) // 4
    assert passes == pytest.approx(
        np.where((month == 6) | (month == 7), 2.0, 1.0)[:, None] + 0 * quiet
    )
    assert stays == pytest.approx(np.where(month >= 6, 2.0, 1.0)[:, None] + 0 * quiet)
    assert season.max() == pytest.approx(2**0.5, rel=0.01)
    assert season.min() == pytest.approx(0.5**0.5, rel=0.01)
    left = {shock: int((life.decided < life.grid.until).sum()) for shock, life in lives.items()}
    assert left["none"] < left["passes"] < left["stays"]


@pytest.mark.parametrize("kind", ["saas", "weekly"])
def test_plain_columns_are_not_moved_by_the_future(businesses: Any, kind: str) -> None:
    world = simulated(businesses, kind, n_accounts=60)
    plain = businesses("businesses.plain").plain_columns
    at = pd.Timestamp("2023-08-01")
    rows = world.outcomes(pd.DatetimeIndex([at]))[["account_id", "as_of"]]
    before = plain(world.tables, rows)
    cut = {}
    for name, frame in world.tables.items():
        clock = [column for column in CLOCKS if column in frame]
        seen = frame[frame[clock[0]] < at].copy() if clock else frame
        for column in LATE.get(name, ()):
            if column in seen:
                seen[column] = seen[column].where(seen[column] < at)
        cut[name] = seen
    assert len(cut["usage_events"]) < len(world.tables["usage_events"])
    pd.testing.assert_frame_equal(before, plain(cut, rows))


def test_plain_columns_count_what_they_say(businesses: Any) -> None:
    world = simulated(businesses, "saas", n_accounts=60)
    at = pd.Timestamp("2023-08-01")
    rows = world.outcomes(pd.DatetimeIndex([at]))[["account_id", "as_of"]]
    columns = businesses("businesses.plain").plain_columns(world.tables, rows)
    month = pd.Timedelta(days=30)
    for place, account in enumerate(rows["account_id"].head(15)):
        own = {name: frame[frame["account_id"] == account] for name, frame in world.tables.items()}
        events = own["usage_events"]
        seen = events[(events["occurred_at"] < at) & (events["occurred_at"] >= at - month)]
        opened = own["tickets"][own["tickets"]["opened_at"] < at]
        is_open = ~(opened["resolved_at"] < at)
        due = own["invoices"][own["invoices"]["due_at"] < at]
        answers = own["survey_responses"][own["survey_responses"]["responded_at"] < at]
        row = columns.iloc[place]
        assert row["events_30d"] == len(seen)
        assert row["users_30d"] == seen["user_id"].nunique()
        assert row["tickets_open"] == is_open.sum()
        assert row["invoices_overdue"] == (~(due["paid_at"] < at)).sum()
        assert row["nps_mean"] == pytest.approx(answers["score"].mean(), nan_ok=True)


def test_worlds_too_small_are_refused(businesses: Any) -> None:
    with pytest.raises(ValueError, match="at least 20 accounts and 6 months"):
        simulated(businesses, "saas", n_accounts=5)
