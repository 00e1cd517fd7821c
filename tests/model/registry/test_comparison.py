"""Two models on the same rows: what is measured, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tenure.core.config import make_config
from tenure.core.records.base import Figure
from tenure.core.records.promotion import Comparison
from tenure.core.sections import EvaluationConfig, PromotionConfig
from tenure.model.calibration.losses import log_loss
from tenure.model.registry.comparison import compare, decide
from tenure.model.settings import EvaluationSettings

SETTINGS = EvaluationSettings(EvaluationConfig(bootstrap=200, level=0.95), seed=3)


def book(accounts: int = 600, seed: int = 0) -> pd.DataFrame:
    """Return accounts at three prediction times with their true risk."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-2.2, 1.2, accounts)
    rows = pd.DataFrame(
        {
            "account_id": np.repeat([f"a{n:04d}" for n in range(accounts)], 3),
            "as_of": np.tile(pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]), accounts),
            "logit": np.repeat(logit, 3),
            "segment": np.repeat(rng.choice(["smb", "mid"], accounts), 3),
        }
    )
    risk = 1 / (1 + np.exp(-rows["logit"]))
    rows["label"] = (rng.random(len(rows)) < risk).astype(float)
    happened = rows["label"] == 1
    rows["outcome_id"] = (rows["account_id"] + "@" + rows["as_of"].astype(str)).where(happened)
    return rows


def predicted(rows: pd.DataFrame, noise: float, seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    return 1 / (1 + np.exp(-(rows["logit"] + rng.normal(0, noise, len(rows)))))


def rivals(champion: float, challenger: float) -> pd.DataFrame:
    rows = book()
    return rows.assign(
        champion=predicted(rows, champion),
        challenger=predicted(rows, challenger, seed=2),
        base_rate=0.15,
    )


def losses(rows: pd.DataFrame, name: str) -> Any:
    return log_loss(np.asarray(rows["label"], dtype=float), np.asarray(rows[name], dtype=float))


def compared(*arguments: Any) -> Any:
    """Return the comparison, whose figures a test knows to be there."""
    return compare(*arguments)


def with_gain(
    comparison: Comparison, value: float, lo: float, hi: float, better: float = 0.9
) -> Comparison:
    """Return a comparison with another gain in log loss, above 0 with some probability."""
    gain = {"log_loss": Figure(value=value, lo=lo, hi=hi)}
    changes = {"gain": comparison.gain.model_copy(update=gain), "better": better}
    return comparison.model_copy(update=changes)


def with_skill(comparison: Comparison, value: float, half: float) -> Comparison:
    """Return a comparison whose champion gains something else over the base rate."""
    skill = Figure(value=value, lo=value - half, hi=value + half)
    champion = comparison.champion.model_copy(update={"over_base_rate": skill})
    return comparison.model_copy(update={"champion": champion})


def test_figures_are_those_of_the_rows() -> None:
    rows = rivals(1.0, 0.2)
    found = compared(rows, {"segment": rows["segment"]}, SETTINGS)
    loss = {name: losses(rows, name).mean() for name in ("champion", "challenger")}
    assert found.champion.log_loss.value == pytest.approx(loss["champion"])
    gain = found.gain.log_loss
    assert gain.value == pytest.approx(loss["champion"] - loss["challenger"])
    assert gain.lo < gain.value < gain.hi
    without = log_loss(np.asarray(rows["label"], dtype=float), np.full(len(rows), 0.15)).mean()
    for name, side in (("champion", found.champion), ("challenger", found.challenger)):
        assert side.over_base_rate.value == pytest.approx(without - loss[name])
    assert (found.rows, found.accounts, found.cutoffs) == (1800, 600, 3)
    assert (found.first, found.last) == ("2024-01-01", "2024-03-01")
    assert found.events == found.positives == int(rows["label"].sum())
    smb = next(item for item in found.groups if item.name == "smb")
    inside = rows[rows["segment"] == "smb"]
    rise = losses(inside, "challenger") - losses(inside, "champion")
    assert smb.rows == len(inside)
    assert smb.increase.value == pytest.approx(rise.mean())


def test_the_better_one_is_promoted_and_the_worse_one_refused() -> None:
    better, worse = (
        compared(rivals(1.0, 0.2), {}, SETTINGS),
        compared(rivals(0.2, 1.0), {}, SETTINGS),
    )
    assert decide(better).better
    assert better.better == 1
    first = decide(better).sentences[0]
    assert first.startswith("Better on the same rows with a probability of 100%: gain in log loss")
    refused = decide(worse)
    assert not refused.better
    assert refused.sentences[0].startswith(
        "Refused: better on the same rows with a probability of 0%, and 75% are needed"
    )


def test_a_probability_below_the_one_asked_for_is_refused() -> None:
    found = compared(rivals(1.0, 0.2), {}, SETTINGS)
    assert decide(with_gain(found, 0.001, -0.001, 0.003, better=0.75)).better
    unsure = decide(with_gain(found, 0.001, -0.001, 0.003, better=0.74))
    assert not unsure.better
    assert "with a probability of 74%, and 75% are needed" in unsure.sentences[0]


def test_equal_models_are_as_often_better_as_worse() -> None:
    chances = []
    for seed in range(40):
        rows = book(300, seed)
        rows["champion"], rows["challenger"] = (
            predicted(rows, 0.8, seed=2 * seed + n) for n in (0, 1)
        )
        chances.append(compared(rows.assign(base_rate=0.15), {}, SETTINGS).better)
    assert 0.35 < np.mean(chances) < 0.65
    assert np.mean(np.array(chances) >= 0.75) <= 0.45


def test_a_shock_that_a_month_shares_makes_less_sure() -> None:
    """Two levels: what favours the higher one is one month of many departures."""
    rows = book(2_000)
    risk = 1 / (1 + np.exp(-rows["logit"]))
    rng = np.random.default_rng(5)
    shock = rows["as_of"].map(dict(zip(rows["as_of"].unique(), (-0.4, -0.4, 1.0), strict=True)))
    shocked = 1 / (1 + np.exp(-(rows["logit"] + shock)))
    found = {}
    for name, truth in (("steady", risk), ("shocked", shocked)):
        rows["label"] = (rng.random(len(rows)) < truth).astype(float)
        rate = float(rows["label"].mean() / risk.mean())
        pair = rows.assign(
            champion=risk * rate * 0.8, challenger=risk * rate, base_rate=risk.mean()
        )
        found[name] = compared(pair, {}, SETTINGS).gain.log_loss
    assert found["steady"].hi - found["steady"].lo < (found["shocked"].hi - found["shocked"].lo) / 2


def test_a_row_order_of_its_own_changes_nothing() -> None:
    rows = rivals(1.0, 0.2)
    shuffled = rows.sample(frac=1, random_state=5)
    one = compared(rows, {"segment": rows["segment"]}, SETTINGS)
    other = compared(shuffled, {"segment": shuffled["segment"].reset_index(drop=True)}, SETTINGS)
    assert one.gain.log_loss.model_dump() == pytest.approx(other.gain.log_loss.model_dump())


def test_a_segment_that_loses_much_is_named() -> None:
    rows = rivals(0.3, 0.1)
    smb = rows["segment"] == "smb"
    rows.loc[smb, "challenger"] = rows.loc[smb, "champion"] ** 0.6
    found = compared(rows, {"segment": rows["segment"]}, SETTINGS)
    refused = decide(with_gain(found, 0.01, 0.005, 0.02))
    assert not refused.better
    assert "but worse for some" in refused.sentences[0]
    assert refused.sentences[1].startswith("segment `smb` (")
    assert len(refused.sentences) == 2


def test_a_segment_of_few_outcomes_says_nothing() -> None:
    rows = rivals(0.3, 0.2)
    happened = rows["label"] == 1
    few = rows.index[happened][:29]
    named = pd.Series("rest", index=rows.index)
    named[few] = "few"
    named[rows.index[~happened][:200]] = "few"
    rows.loc[few, "challenger"] = 1e-6

    def entry(limits: PromotionConfig) -> Any:
        found = compared(rows, {"g": named}, SETTINGS, limits)
        return next(item for item in found.groups if item.name == "few")

    few_rows = entry(PromotionConfig())
    assert few_rows.events == 29
    assert few_rows.others > 30
    assert few_rows.increase.value > 0.5
    assert few_rows.worse is None
    assert entry(PromotionConfig(group_events=29)).worse is True


def test_a_group_of_few_accounts_without_the_outcome_says_nothing_either() -> None:
    rows = rivals(1.0, 0.2)
    happened = rows["label"] == 1
    named = pd.Series("rest", index=rows.index)
    named[happened] = "few"
    named[rows.index[~happened][:12]] = "few"
    rows.loc[named == "few", "challenger"] = 1e-6
    found = compared(rows, {"g": named}, SETTINGS).groups
    (few,) = [item for item in found if item.name == "few"]
    assert few.events > 100
    assert few.others <= 12
    assert few.worse is None


def test_the_limits_are_those_of_the_config(tmp_path: Path) -> None:
    authored = {"data": {"path": "data"}}
    assert make_config(authored, base=tmp_path).promotion == PromotionConfig()
    promotion = {
        "probability": 0.8,
        "tolerance": 0.01,
        "group_tolerance": 0.5,
        "group_events": 10,
    }
    config = make_config(authored | {"promotion": promotion}, base=tmp_path)
    limits = config.promotion
    assert limits.model_dump() == promotion
    found = compared(rivals(0.3, 0.2), {}, SETTINGS, limits)
    assert found.limits.model_dump() == promotion
    unsure = decide(with_gain(found, 0.001, 0.0, 0.02, better=0.79))
    assert "80% are needed" in unsure.sentences[0]
    skill = found.champion.over_base_rate.value
    risky = with_gain(found, 0.001, -0.04 * skill, 0.07 * skill)
    assert "it may lose more than 1% of what the champion gains" in decide(risky).sentences[0]


def test_a_wider_limit_lets_a_group_lose_more() -> None:
    rows = rivals(0.3, 0.1)
    smb = rows["segment"] == "smb"
    rows.loc[smb, "challenger"] = rows.loc[smb, "champion"] ** 0.6
    groups = {"segment": rows["segment"]}
    strict, wide = (
        compared(rows, groups, SETTINGS, PromotionConfig(group_tolerance=x)) for x in (0.1, 100)
    )
    assert [item.worse for item in strict.groups] == [False, True]
    assert [item.worse for item in wide.groups] == [False, False]
    assert (
        decide(with_gain(strict, 0.01, 0.005, 0.02))
        .sentences[1]
        .endswith(
            "the upper end passes 10% of what the champion gains over all rows "
            "(promotion.group_tolerance)."
        )
    )


def test_missing_groups_are_a_group() -> None:
    rows = rivals(1.0, 0.2)
    found = compared(rows, {"segment": rows["segment"].where(rows["segment"] == "mid")}, SETTINGS)
    assert [item.name for item in found.groups] == ["(none)", "mid"]


def test_a_loss_is_measured_by_what_the_champion_gains() -> None:
    found = compared(rivals(1.0, 0.2), {}, SETTINGS)
    share = found.limits.tolerance
    for skill in (0.01, 0.1):
        known = with_skill(found, skill, skill / 2)
        risky = decide(with_gain(known, 0.001, -1.01 * share * skill, 0.3))
        assert "it may lose more than" in risky.sentences[0]
        assert decide(with_gain(known, 0.001, -0.99 * share * skill, 0.3)).better


def test_a_champion_that_gains_nothing_has_nothing_to_lose() -> None:
    found = with_skill(compared(rivals(1.0, 0.2), {}, SETTINGS), 0.001, 0.002)
    assert decide(with_gain(found, 0.001, -0.1, 0.2, better=0.8)).better
    assert not decide(with_gain(found, 0.001, -0.1, 0.2, better=0.7)).better


def test_a_newer_twin_may_take_over_and_an_older_one_not() -> None:
    rows = rivals(0.2, 0.2).assign(challenger=lambda x: x["champion"])
    found = compared(rows, {"segment": rows["segment"]}, SETTINGS)
    assert found.gain.log_loss == Figure(value=0, lo=0, hi=0)
    assert decide(found, newer_twin=True).better
    assert not decide(found).better


def test_a_bundle_that_is_not_what_its_recipe_gives_is_refused() -> None:
    rows = rivals(1.0, 0.2)
    fine = rows.assign(as_it_stands=predicted(rows, 0.1))
    assert decide(compared(fine, {}, SETTINGS)).better
    swapped = rows.assign(as_it_stands=1 - rows["challenger"])
    refused = decide(compared(swapped, {}, SETTINGS))
    assert not refused.better
    assert "worse than its recipe would have" in refused.sentences[0]


def test_one_class_alone_cannot_be_compared_by_order_but_by_loss() -> None:
    rows = rivals(1.0, 0.2).query("label == 0")
    found = compared(rows, {}, SETTINGS)
    assert found.gain.auc.value is None
    assert found.events == 0
