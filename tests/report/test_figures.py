from __future__ import annotations

from typing import Any

import pytest

from report.record import beaten, no_claim, refused, usable
from tenure.report.figures import target_figures
from tenure.report.sentences.words import Outcome

ALL = {
    *("calibration", "capture", "lead", "folds", "baselines", "contrast", "drivers", "labels"),
}


def drawn(entry: dict[str, Any]) -> Any:
    return target_figures(Outcome.of("churn", entry), entry)


def test_a_tested_model_has_every_figure() -> None:
    found = drawn(usable())
    assert set(found) == ALL
    assert all(figure.svg.startswith("<svg") for figure in found.values())


@pytest.mark.parametrize(
    ("entry", "names"), [(no_claim(), {"drivers", "labels"}), (refused(), {"labels"}), ({}, set())]
)
def test_what_was_not_measured_is_not_drawn(entry: dict[str, Any], names: set[str]) -> None:
    assert set(drawn(entry)) == names


def test_a_figure_says_what_it_shows_in_words() -> None:
    found = drawn(usable())
    assert found["capture"].text.startswith("The 10% scored highest hold 29% of the churns.")
    assert "Base rate" in found["baselines"].text
    assert found["folds"].text.startswith("AUC 0.72 over 12 prediction times. Lowest 0.69 at 2024")
    assert found["lead"].text.endswith("at least 60 days: 8.0% of 181.")  # none stood there longer
    assert found["contrast"].text.endswith(
        "AUC: Random split of rows 0.80; Forward in time 0.72; Accounts never seen 0.70."
    )
    assert found["labels"].text.endswith("28 prediction times, 24 with a known outcome.")


def test_a_baseline_that_wins_is_not_counted_as_beaten() -> None:
    assert drawn(beaten())["baselines"].text.startswith("Clearly better than 5 of 6 baselines")


def test_figures_without_intervals_are_drawn() -> None:
    entry = usable()
    entry["evaluation"]["pooled"]["auc"] |= {"lo": None, "hi": None}
    for fold in entry["evaluation"]["folds"]:
        fold["auc"] |= {"lo": None, "hi": None}
    for gains in entry["evaluation"]["differences"].values():
        for gain in gains.values():
            gain |= {"lo": None, "hi": None}
    assert set(drawn(entry)) == ALL


def test_a_fold_without_an_auc_is_left_out() -> None:
    entry = usable()
    entry["evaluation"]["folds"][0]["auc"] = {"value": None, "lo": None, "hi": None}
    assert "over 11 prediction times" in drawn(entry)["folds"].text
