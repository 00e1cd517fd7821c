from __future__ import annotations

from typing import Any

from report.record import NO_FIGURE, changed, no_claim, record, refused, usable
from tenure.core.records.training import TargetRecord
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.layout import Table
from tenure.report.tables.targets import group_table, target_view


def column(table: Table | None, place: int) -> list[str]:
    assert table is not None
    return [row[place].text for row in table.rows]


def view(entry: TargetRecord) -> dict[str, Any]:
    return target_view(Outcome("churn", entry), record().config)


def test_a_replayed_time_joins_what_it_learnt_and_what_it_scored() -> None:
    folds = view(usable())["folds"]
    assert column(folds, 0)[0] == "2024-01-01"
    assert column(folds, 1)[0] == "2024-01-01"
    assert column(folds, 4)[0] == "2023-12-01"
    assert column(folds, 10)[0] == "0.69 [0.61, 0.77]"


def test_reasons_for_no_label_are_explained_largest_first() -> None:
    dropped = view(usable())["dropped"]
    assert column(dropped, 0) == ["Censored", "Notice given"]
    assert column(dropped, 2) == ["9.7%", "0.9%"]
    assert dropped.rows[0][0].note.startswith("too recent")


def test_a_measure_that_a_baseline_lacks_is_a_dash() -> None:
    entry = changed(usable(), {"evaluation.baselines.mrr.auc": NO_FIGURE})
    assert view(entry)["metrics"].rows[0][5].text == "–"


def test_the_headline_is_not_said_twice() -> None:
    found = view(usable())
    assert found["headline"].first.startswith("Of the 10%")
    assert not [text for text in found["performance"] if text.startswith("Of the 10%")]


def test_a_refused_target_has_neither_figures_nor_a_model() -> None:
    found = view(refused())
    assert [found[name] for name in ("metrics", "drivers", "folds", "model")] == [None] * 4
    assert found["status"] == "No model was fitted."


def test_a_model_without_a_test_shows_its_drivers_only() -> None:
    found = view(no_claim())
    assert (found["metrics"], found["folds"]) == (None, None)
    assert column(found["drivers"], 4)[:2] == ["lever", "context"]


def test_a_row_for_each_group_and_its_kind_named_once() -> None:
    found = group_table(Outcome("churn", usable()))
    assert found is not None
    assert [row[0].text for row in found.rows] == ["Segment", "", "MRR"]
    good, off, few = found.rows
    assert [cell.text for cell in good[1:]] == [
        *("smb", "2,000", "60", "5.0%", "5.0%", "0.1", "0.70", "0.0200")
    ]
    assert (good[6].note, good[6].tone) == ("[−0.9, 1.1]", "")
    assert (off[6].text, off[6].note, off[6].tone) == ("2.1", "[1.1, 3.1]", "bad")
    assert few[6].note == "fewer than 30 outcomes: no figures"
    assert {cell.text for cell in few[6:]} == {"–"}


def test_without_groups_there_is_no_table() -> None:
    assert group_table(Outcome("churn", no_claim())) is None
