from __future__ import annotations

import pytest

from report.record import NO_FIGURE, beaten, changed, no_claim, refused, usable
from tenure.core.records.training import TargetRecord
from tenure.report.sentences.outcome import Outcome
from tenure.report.target_charts import Chart, target_charts

ALL = {
    *("calibration", "detection", "lead", "folds", "baselines", "contrast", "drivers", "labels"),
}


def drawn(target: TargetRecord) -> dict[str, Chart]:
    return target_charts(Outcome("churn", target))


def test_a_tested_model_has_every_figure() -> None:
    found = drawn(usable())
    assert set(found) == ALL
    assert all(chart.svg.startswith("<svg") for chart in found.values())


@pytest.mark.parametrize(
    ("target", "names"), [(no_claim(), {"drivers", "labels"}), (refused(), {"labels"})]
)
def test_what_was_not_measured_is_not_drawn(target: TargetRecord, names: set[str]) -> None:
    assert set(drawn(target)) == names


def test_a_figure_says_what_it_shows_in_words() -> None:
    found = drawn(usable())
    assert found["detection"].text.startswith(
        "Lists of the 10% scored highest meet 29% of the churns in time. lists of 5% of accounts: "
        "16% of churns, in random order 7.0%; "
    )
    assert "Base rate" in found["baselines"].text
    assert found["folds"].text.startswith("AUC 0.72 over 12 prediction times. Lowest 0.69 at 2024")
    assert found["lead"].text.endswith("at least 60 days: 8.0% of 181.")  # none stood there longer
    assert found["contrast"].text.endswith(
        "AUC: Random split of rows 0.80; Forward in time 0.72; Accounts never seen 0.70."
    )
    assert found["labels"].text.endswith("28 prediction times, 24 with a known outcome.")


def test_nobody_is_no_span_of_rates() -> None:
    count = len(usable().labels.by_cutoff)
    none = {f"labels.by_cutoff.{place}.positives": 0 for place in range(count)}
    assert drawn(changed(usable(), none))["labels"].text.startswith(
        "No account churned within 90 days of a prediction time; "
    )


def test_a_baseline_that_wins_is_not_counted_as_beaten() -> None:
    assert drawn(beaten())["baselines"].text.startswith("Clearly better than 5 of 6 baselines")


def test_figures_without_intervals_are_drawn() -> None:
    target = usable()
    names = ("auc", "log_loss", "best_profit")
    bare = {"lo": None, "hi": None}
    changes = {
        **{f"evaluation.pooled.auc.{end}": None for end in bare},
        **{
            f"evaluation.folds.{place}.auc.{end}": None
            for place in range(len(target.evaluation.folds))
            for end in bare
        },
        **{
            f"evaluation.differences.{baseline}.{name}.{end}": None
            for baseline in target.evaluation.differences
            for name in names
            for end in bare
        },
    }
    assert set(drawn(changed(target, changes))) == ALL


def test_a_fold_without_an_auc_is_left_out() -> None:
    target = changed(usable(), {"evaluation.folds.0.auc": NO_FIGURE})
    assert "over 11 prediction times" in drawn(target)["folds"].text
