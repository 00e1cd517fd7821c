"""The table of groups: what is off is red, and few events have no figures."""

from __future__ import annotations

from report.record import no_claim, usable
from tenure.report.sentences.outcome import Outcome
from tenure.report.tables.groups import group_table


def test_a_row_for_each_group_and_its_kind_named_once() -> None:
    entry = usable()
    found = group_table(Outcome.of("churn", entry), entry.evaluation)
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
    entry = no_claim()
    assert group_table(Outcome.of("churn", entry), entry.evaluation) is None
