from __future__ import annotations

from report.record import changed, horizons, record, usable
from report.test_card import SPEC
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.training import TargetRecord
from tenure.report.card import model_card
from tenure.report.html import render
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.horizons import horizon_lines, horizon_table, horizon_words
from tenure.report.text import train_lines


def entry() -> TargetRecord:
    target = usable()
    evaluation = target.evaluation.model_copy(update={"horizons": horizons()})
    return target.model_copy(update={"evaluation": evaluation})


def test_a_row_for_each_horizon_below_the_main_one() -> None:
    found = horizon_table(Outcome("churn", entry()))
    assert found is not None
    assert [row[0].text for row in found.rows] == [
        "90 days (above)",
        "30 days",
        "180 days",
        "the time to the renewal date",
    ]
    assert [row[1].text for row in found.rows] == ["12", "8", "8", "0"]
    assert [row[2].text for row in found.rows] == ["241", "120", "120", "12"]
    assert [row[8].text for row in found.rows] == ["yes", "yes", "no", "no"]
    assert [row[8].note for row in found.rows][2:] == ["no usable signal", "refused"]
    _, short, _, refused = found.rows
    assert (short[5].text, short[5].note) == ("0.70", "[0.67, 0.72]")
    assert (short[6].text, short[6].note) == ("0.0200", "[0.0150, 0.0250]")
    assert (short[3].text, short[4].text, short[7].text) == ("2.1%", "2.0%", "0.9%")
    assert {cell.text for cell in refused[3:8]} == {"–"}
    assert len(found.columns) == len(short) == 9


def test_what_is_left_out_says_why() -> None:
    first, signal, refused = horizon_words(Outcome("churn", entry()))
    assert "asked for 30 days, 180 days and the time to the renewal date" in first
    assert signal == "Left out: 180 days. No usable signal: 0.0001."
    assert refused.startswith("Left out: the time to the renewal date. Refused: the past holds 12")
    assert refused.endswith("Give a longer history.")


def test_the_page_the_card_and_the_terminal_show_them() -> None:
    page = render(record({"churn": entry()}))
    assert "What about other spans of time?" in page
    assert "Left out: 180 days." in page
    card = model_card("churn", entry(), SPEC)
    assert "| 30 days | 8 | 120 | 2.1% | 2.0% | 0.70 [0.67, 0.72] |" in card
    assert "- Left out: 180 days." in card
    lines = train_lines(record({"churn": entry()}))
    assert "  30 days: usable, AUC 0.70 [0.67, 0.72]" in lines
    assert "  180 days: no usable signal, AUC 0.51 [0.48, 0.54], left out" in lines
    assert "  the time to the renewal date: refused, left out" in lines


def test_without_further_horizons_nothing_is_said_of_them() -> None:
    outcome = Outcome("churn", usable())
    assert horizon_table(outcome) is None
    assert horizon_words(outcome) == []
    assert horizon_lines(Evaluation()) == []
    assert "other spans of time" not in render(record({"churn": usable()}))
    assert "None was asked for." in model_card("churn", usable(), SPEC)


def test_a_record_without_the_gain_shows_a_dash() -> None:
    bare = changed(entry(), {"evaluation.horizons.30.gain": {}})
    told = horizon_table(Outcome("churn", bare))
    assert told is not None
    assert told.rows[1][6].text == "–"
