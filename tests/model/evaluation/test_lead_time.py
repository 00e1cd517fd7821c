"""Lead times: by hand, against a slow restatement, and what perfect and random lists give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.model.evaluation.bootstrap import Resamples
from tenure.model.evaluation.capacity import TENTH, on_list
from tenure.model.evaluation.lead_time import lead_summary, lead_times

MONTHS = pd.date_range("2024-01-01", periods=6, freq="MS")


def world(top, churns, accounts=10):
    """Return predictions of ten accounts; `top[month]` is the account scored highest.

    Args:
        top: Account number by month.
        churns: Account number → day of its churn; it is asked no more from then on.
        accounts: How many.
    """
    rows = []
    for month, moment in enumerate(MONTHS):
        for number in range(accounts):
            at = pd.Timestamp(churns.get(number, "2099-01-01"))
            if at <= moment:
                continue
            happens = at < moment + pd.Timedelta(days=90)
            rows.append(
                {
                    "account_id": f"a{number}",
                    "as_of": moment,
                    "probability": 0.9 if top[month] == number else number / 100,
                    "label": float(happens),
                    "outcome_at": at if happens else pd.NaT,
                    "outcome_id": f"a{number}@{at:%F}" if happens else None,
                }
            )
    return pd.DataFrame(rows)


def test_days_count_from_the_first_time_after_which_it_stayed():
    frame = world([3, 5, 3, 3, 3, 3], {3: "2024-05-11"})
    (found,) = lead_times(frame).to_dict(orient="records")
    assert found["lead_days"] == 71  # from 1 March: in February another account was on top
    assert found["watched_days"] == 131
    assert frame.iloc[found["row"]]["as_of"] == pd.Timestamp("2024-05-01")


def test_an_account_that_left_the_top_before_the_end_was_not_warned_of():
    frame = world([3, 3, 3, 3, 5, 5], {3: "2024-05-11"})
    assert lead_times(frame)["lead_days"].isna().all()


def test_one_event_seen_from_several_prediction_times_counts_once():
    frame = world([3] * 6, {3: "2024-05-11", 7: "2024-04-02"})
    found = lead_times(frame)
    assert (frame["label"] == 1).sum() == 6
    assert len(found) == 2
    assert found.set_index("outcome_id")["lead_days"].to_dict() == pytest.approx(
        {"a3@2024-05-11": 131, "a7@2024-04-02": np.nan}, nan_ok=True
    )


def test_an_account_that_came_back_is_watched_from_its_return():
    first = world([3] * 6, {3: "2024-02-11"}, accounts=10)
    again = world([3] * 6, {3: "2024-06-10"}, accounts=10)
    kept = again[(again["account_id"] == "a3") & (again["as_of"] >= pd.Timestamp("2024-04-01"))]
    found = lead_times(pd.concat([first, kept], ignore_index=True)).sort_values("row")
    assert found["watched_days"].tolist() == [41, 70]
    assert found["lead_days"].tolist() == [41, 70]


def test_a_tied_group_that_does_not_fit_is_not_on_the_list():
    frame = world([3, 3, 3, 3, 3, 3], {3: "2024-05-11"})
    tied = frame.assign(probability=frame["probability"].clip(upper=0.08))
    assert lead_times(tied)["lead_days"].isna().all()
    assert lead_times(tied, length=2)["lead_days"].isna().all()
    assert lead_times(tied, length=3)["lead_days"].tolist() == [131]


def test_the_list_is_as_long_as_a_team_can_look_after():
    frame = world([9, 9, 9, 9, 9, 9], {8: "2024-05-11"})
    (short,), (long,) = (lead_times(frame, n).to_dict(orient="records") for n in (1, 2))
    assert np.isnan(short["lead_days"])
    assert long["lead_days"] == 131
    assert (short["chance"], long["chance"]) == pytest.approx((1 / 10, 2 / 10))


def slow(frame):
    """Restate the lead times with a loop over events and prediction times."""
    times = pd.factorize(frame["as_of"])[0]
    frame = frame.assign(top=on_list(frame["probability"].to_numpy(), times, TENTH) == 1)
    found = {}
    for event, rows in frame[frame["label"] == 1].groupby("outcome_id"):
        account, at = rows["account_id"].iloc[0], rows["outcome_at"].iloc[0]
        own = frame[(frame["account_id"] == account) & (frame["as_of"] < at)]
        lead = np.nan
        for row in own.sort_values("as_of", ascending=False).itertuples():
            if not row.top:
                break
            lead = (at - row.as_of) / pd.Timedelta(days=1)
        found[event] = lead
    return found


def random_world(seed, skill):
    rng = np.random.default_rng(seed)
    churns = {n: f"2024-0{rng.integers(2, 7)}-{rng.integers(2, 28):02d}" for n in range(0, 200, 3)}
    frame = world([-1] * 6, churns, accounts=200)
    days = (frame["outcome_at"] - frame["as_of"]).dt.days.fillna(999)
    frame["probability"] = skill / (1 + days) + rng.random(len(frame))
    return frame


@pytest.mark.parametrize("skill", [0, 20, 1_000])
def test_lead_times_equal_a_slow_restatement(skill):
    frame = random_world(2, skill)
    found = lead_times(frame).set_index("outcome_id")["lead_days"]
    assert found.to_dict() == pytest.approx(slow(frame), nan_ok=True)


def summary(frame, resamples=200):
    draws = Resamples.draw(frame["account_id"].to_numpy(dtype=str), resamples, 0)
    return lead_summary(lead_times(frame), draws, 0.95)


def test_a_random_list_warns_of_a_tenth_and_a_good_one_of_more():
    chance, good = summary(random_world(4, 0)), summary(random_world(4, 1_000))
    assert chance["warned"]["lo"] < 0.1 < chance["warned"]["hi"]
    assert good["by_chance"] == pytest.approx(0.1, abs=0.01)
    assert good["warned"]["lo"] > chance["warned"]["hi"]
    assert good["days"]["lo"] <= good["days"]["value"] <= good["days"]["hi"]
    shares = [step["share"] for step in good["curve"]]
    assert shares == sorted(shares, reverse=True)
    assert good["curve"][0]["days"] == 1


def test_the_median_of_a_resample_is_that_of_its_repeated_events():
    frame = random_world(6, 1_000)
    leads = lead_times(frame)
    draws = Resamples.draw(frame["account_id"].to_numpy(dtype=str), 40, 0)
    medians = []
    for counts in draws.counts[1:, draws.account[leads["row"].to_numpy()]].astype(int):
        medians.append(np.nanmedian(np.repeat(leads["lead_days"].to_numpy(), counts)))
    found = lead_summary(leads, draws, 0.95)["days"]
    assert found["value"] == leads["lead_days"].median()
    assert (found["lo"], found["hi"]) == pytest.approx(tuple(np.quantile(medians, [0.025, 0.975])))


def test_without_an_outcome_there_is_no_summary():
    frame = world([0] * 6, {})
    assert summary(frame) == {}
