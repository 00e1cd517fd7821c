"""The audit as tables, as a page and as a section of the model report."""

from __future__ import annotations

import re
from typing import Any

import pytest

from report.audit_record import audit, check, not_possible, suspect, violated
from report.record import data, record
from tenure.core.records.audit import AuditRecord
from tenure.report.html import render, render_audit
from tenure.report.tables.audit import audit_view
from tenure.report.text import check_lines


def part(found: AuditRecord, key: str) -> dict[str, Any]:
    parts = {item["anchor"]: item for item in audit_view(found)["parts"]}
    return parts[f"audit-{key}"]


def cells(found: dict[str, Any], place: int = 0) -> list[list[str]]:
    return [[cell.text for cell in row] for row in found["tables"][place].rows]


def test_reads_are_summed_up_with_the_closest_margin() -> None:
    found = part(audit(), "reads")
    assert cells(found) == [["usage_events", "known_at alone", "1", "30 seconds", "24 hours"]]
    assert [cell.text for cell in found["details"].rows[0]] == [
        "events_28d",
        "2024-01-31 23:59:30",
        "nothing in the window",
    ]


def test_violations_come_first() -> None:
    reads, shuffle = part(violated(), "reads"), part(violated(), "shuffle")
    assert cells(reads) == [["events_28d", "2024-02-01"]]
    assert cells(shuffle)[0] == ["events_28d", "2024-02-01", "7", "a01, a02"]
    assert cells(shuffle, 1) == [["2024-02-01", "500", "4,000", "2"]]


def test_late_drift_and_clocks_as_tables() -> None:
    late = part(audit(), "late")
    assert cells(late)[0] == ["usage_events", "100", "25%", "2", "4", "9", "11"]
    assert cells(late, 1) == [["usage", "400", "5.0%", "25%", "events_28d 25%"]]
    assert [row[:2] for row in cells(part(audit(), "drift"))] == [
        ["mrr", "drifted"],
        ["tenure_days", "grows by itself"],
    ]
    assert cells(part(audit(), "clocks"))[1][2] == "a, b, c, d and 2 more"


@pytest.mark.parametrize(
    ("kind", "figure"),
    [("forward", "0.970 [0.900, 0.990]"), ("near", "97%"), ("accounts", "0.970")],
)
def test_suspects_show_their_figure(kind: str, figure: str) -> None:
    found = part(audit(suspects=[suspect(kind=kind)]), "suspects")
    assert cells(found)[0][:3] == ["stage", "churn", figure]


def test_the_page_is_one_offline_file_and_escapes_what_it_shows() -> None:
    page = render_audit(audit(status="doubts", suspects=[suspect()], name="<acme>"))
    assert "&lt;acme&gt;" in page
    assert "<acme>" not in page
    assert "&lt;later&gt;" in page
    assert not re.search(r"<script|https?://|src=", page)
    for anchor in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page


def test_an_audit_that_was_not_possible_is_a_page_too() -> None:
    page = render_audit(not_possible())
    assert "The data was not audited: nobody pays." in page


def test_the_model_report_has_a_section_where_there_is_an_audit() -> None:
    without, with_it = render(record()), render(record(), violated())
    assert 'id="audit"' not in without
    assert 'id="audit"' in with_it
    assert "A feature saw its future" in with_it
    assert "Every feature at" not in with_it


def test_check_lines_end_with_the_page() -> None:
    lines = check_lines(check(data()))
    assert lines[-1] == "audit: runs/audit.html"
    assert "point-in-time audit: clean" in lines
