"""The table of mergers: what cannot be joined is rejected, each row with its reason."""

from __future__ import annotations

from pathlib import Path

from sources.conftest import Load, rows

MERGERS = """\
account_id,into_account_id,at
a,b,2023-05-01
b,c,2023-06-01
c,a,2023-07-01
b,b,2023-04-01
x,a,2023-05-01
c,x,2023-05-01
,a,2023-05-01
"""


def test_rows_that_cannot_be_joined_are_rejected_and_the_rest_is_used(
    read: Load, folder: Path
) -> None:
    (folder / "mergers.csv").write_text(MERGERS)
    dataset = read()
    report = dataset.report.tables["mergers"]
    assert report.rejected == {
        "into_merged_account": 1,  # c into a, which is part of b by then: a circle
        "merged_into_itself": 1,
        "missing_account_id": 1,
        "unknown_account": 1,
        "unknown_into_account": 1,
    }
    used = rows(dataset, "SELECT account_id, into_account_id FROM mergers ORDER BY 1")
    assert [tuple(row.values()) for row in used] == [("a", "b"), ("b", "c")]
    written = rows(dataset, dataset.rejects["mergers"])
    assert {row["reason"] for row in written} == set(report.rejected)


def test_of_two_mergers_of_one_account_the_first_known_counts(read: Load, folder: Path) -> None:
    (folder / "mergers.csv").write_text(
        "account_id,into_account_id,at,known_at\n"
        "a,b,2023-05-01,2023-09-01\n"
        "a,c,2023-06-01,2023-06-02\n"
    )
    dataset = read()
    assert dataset.report.tables["mergers"].rejected == {"duplicate_key": 1}
    assert [row["into_account_id"] for row in rows(dataset, "SELECT * FROM mergers")] == ["c"]
