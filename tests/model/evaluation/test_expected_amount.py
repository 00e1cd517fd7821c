from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tenure.model.evaluation.expected_amount import Amounts, check_amounts, fit_amounts

SHARES = {"small": 0.5, "large": 0.2}
RATES = {"USD": 1.0, "JPY": 150.0}


def world(
    seed: int = 0, accounts: int = 1_500, chance: float = 0.15
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return snapshots at 10 times of accounts that grow by a share that their segment sets."""
    rng = np.random.default_rng(seed)
    months = pd.date_range("2023-01-01", periods=10, freq="MS").astype("datetime64[us]")
    segment = rng.choice(["small", "large"], accounts)
    currency = rng.choice(["USD", "JPY"], accounts)
    mrr = np.exp(rng.normal(6, 0.5, accounts)) * np.array([RATES[name] for name in currency])
    frames = []
    for month in months:
        grows = rng.random(accounts) < chance
        share = np.array([SHARES[name] for name in segment]) * rng.gamma(4, 0.25, accounts)
        ids = [f"a{number}@{month}" if yes else None for number, yes in enumerate(grows)]
        frames.append(
            pd.DataFrame(
                {
                    "account_id": [f"a{number}" for number in range(accounts)],
                    "as_of": month,
                    "label": grows.astype(float),
                    "label_known_at": month + pd.Timedelta(days=40),
                    "list_mrr": mrr,
                    "currency": currency,
                    "outcome_id": ids,
                    "outcome_amount": np.where(grows, share * mrr, 0.0),
                    "segment": segment,
                }
            )
        )
    rows = pd.concat(frames, ignore_index=True)
    return rows.drop(columns="segment"), rows[["segment"]]


def learnt(rows: pd.DataFrame, values: pd.DataFrame, **how: Any) -> Amounts:
    found = fit_amounts(rows, values, **how)
    assert found is not None
    return found


def test_the_shares_that_made_the_world_are_found() -> None:
    rows, values = world()
    shares = learnt(rows, values).expected(rows, values) / rows["list_mrr"]
    for name, share in SHARES.items():
        assert shares[values["segment"] == name].mean() == pytest.approx(share, rel=0.08)


def test_expected_amounts_add_up_to_the_observed_ones() -> None:
    rows, values = world(1)
    grew = rows["label"] == 1
    amounts = learnt(rows, values)
    for currency in RATES:
        here = grew & (rows["currency"] == currency)
        expected = amounts.expected(rows[here], values[here]).sum()
        assert expected == pytest.approx(rows.loc[here, "outcome_amount"].sum(), rel=0.05)


def test_an_event_counts_once_however_often_it_was_seen() -> None:
    rows, values = world(2, accounts=60)
    rows["currency"] = "USD"
    often = ((rows["label"] == 1) & (values["segment"] == "small")).to_numpy()
    again = pd.concat([rows] + [rows[often]] * 3, ignore_index=True)
    same = pd.concat([values] + [values[often]] * 3, ignore_index=True)
    once, more = learnt(rows, values), learnt(again, same)
    assert more.events == once.events == (rows["label"] == 1).sum()
    assert more.share == pytest.approx(once.share)


def test_few_events_say_little_about_groups() -> None:
    rows, values = world(3, accounts=4, chance=0.4)
    amounts = learnt(rows, values)
    for factor in [*amounts.bands, *amounts.factors["segment"].values()]:
        assert 0.7 < factor < 1.4


def test_a_handful_of_events_is_nothing_to_learn_from() -> None:
    rows, values = world(4, accounts=5, chance=0.1)
    assert fit_amounts(rows, values) is None


def test_what_is_not_known_has_no_factor() -> None:
    rows, values = world(5, accounts=100)
    amounts = learnt(rows, values)
    asked = rows.head(2).assign(currency=pd.array(["CHF", None], dtype="str"))
    unknown = values.head(2).assign(segment=pd.array(["huge", None], dtype="str"))
    bands = np.asarray(amounts.bands)[amounts.band(asked)]
    found = amounts.expected(asked, unknown)
    np.testing.assert_allclose(found, amounts.share * asked["list_mrr"] * bands)
    without = learnt(rows, values, by=())
    assert without.factors == {}
    assert (without.expected(asked, unknown[[]]) > 0).all()


def test_the_state_survives_json() -> None:
    rows, values = world(6, accounts=100)
    amounts = learnt(rows, values)
    again = Amounts.from_json(json.loads(json.dumps(amounts.to_json())))
    np.testing.assert_array_equal(again.expected(rows, values), amounts.expected(rows, values))


@pytest.fixture(scope="module")
def predicted() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rows, values = world(7, accounts=400)
    predictions = rows[["account_id", "as_of"]].assign(probability=0.15, row=np.arange(len(rows)))
    return predictions, rows, values


def test_a_true_probability_gives_the_amounts_that_come(
    predicted: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
) -> None:
    found = check_amounts(*predicted, resamples=200)
    assert found is not None
    for name in ("total", "given"):
        assert found[name]["lo"] <= 1 <= found[name]["hi"]
        assert found[name]["hi"] - found[name]["lo"] < 0.5
    assert set(found["by_currency"]) == set(RATES)
    rows = predicted[1]
    months = rows["as_of"].unique()
    tested = rows[rows["as_of"] > months[1]]  # the first events are known 40 days later
    assert found["rows"] == len(tested)
    assert found["by_currency"]["JPY"]["observed"] == pytest.approx(
        tested.loc[tested["currency"] == "JPY", "outcome_amount"].sum()
    )


def test_probabilities_that_are_too_high_show(
    predicted: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
) -> None:
    predictions, rows, values = predicted
    found = check_amounts(predictions.assign(probability=0.30), rows, values, resamples=100)
    assert found is not None
    assert found["total"]["hi"] < 0.7
    assert found["given"]["lo"] <= 1 <= found["given"]["hi"]


def test_no_amount_is_expected_from_what_was_not_known_then(
    predicted: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
) -> None:
    predictions, rows, values = predicted
    last = rows["as_of"].max()
    changed = rows.copy()
    late = changed["label_known_at"] > last
    changed.loc[late, "outcome_amount"] *= 100
    only = predictions[predictions["as_of"] == last]
    before = check_amounts(only, rows, values, resamples=50)
    after = check_amounts(only, changed, values, resamples=50)
    assert before is not None
    assert after is not None
    for currency in RATES:
        for name in ("expected", "given"):
            assert before["by_currency"][currency][name] == after["by_currency"][currency][name]
    assert check_amounts(predictions.head(0), rows, values) is None
