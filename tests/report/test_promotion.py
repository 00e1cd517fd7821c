"""What a promotion says to people."""

from __future__ import annotations

from typing import Any

from report.record import record as training_record
from tenure.core.records.promotion import Comparison, PromotionRecord, ShadowRecord
from tenure.report.html import render
from tenure.report.promotion import promote_lines, shadow_view

BETWEEN = {"value": 0.0123, "lo": 0.004, "hi": 0.02}


def side(loss: float) -> dict[str, Any]:
    return {
        "log_loss": {"value": loss, "lo": 0.2, "hi": 0.3},
        "auc": {"value": 0.71, "lo": 0.6, "hi": 0.8},
        "over_base_rate": {"value": 0.031, "lo": 0.02, "hi": 0.04},
        "mean_probability": 0.081,
    }


def group(name: str, worse: bool | None) -> dict[str, Any]:
    return {
        "by": "segment",
        "name": name,
        "rows": 1200,
        "events": 44,
        "others": 900,
        "log_loss": 0.25,
        "increase": BETWEEN,
        "worse": worse,
    }


COMPARED: dict[str, Any] = {
    "rows": 2400,
    "accounts": 800,
    "cutoffs": 3,
    "first": "2024-01-01",
    "last": "2024-03-01",
    "events": 90,
    "positives": 210,
    "observed_rate": 0.0875,
    "champion": side(0.2512),
    "challenger": side(0.2389),
    "gain": {"log_loss": BETWEEN, "auc": {"value": 0.01, "lo": None, "hi": None}},
    "better": 0.97,
    "used": {"first": "2024-01-01", "last": "2024-03-01", "contests": 3, "recipes": 2},
    "groups": [group("smb", None), group("mid", True), group("large", False)],
    "as_it_stands": None,
    "level": 0.95,
    "limits": {},
    "basis": "unseen",
    "how": "both bundles as they stand",
    "notes": ["The champion was trained with labels.gap_days 7; both are judged by the config."],
}


def record(
    action: str, *, dry: bool = False, notes: tuple[str, ...] = (), **parts: Any
) -> PromotionRecord:
    entry = {
        "action": action,
        "champion": "aaaa",
        "version": "bbbb",
        "sentences": ["Because."],
        "comparison": None,
        **parts,
    }
    return PromotionRecord.from_json(
        {
            "name": "acme",
            "dry_run": dry,
            "passed": action != "refused",
            "notes": notes,
            "targets": {"churn": entry},
        }
    )


def test_what_became_of_it() -> None:
    assert promote_lines(record("promoted")) == [
        "churn: bbbb is champion now, instead of aaaa",
        "  Because.",
    ]
    assert promote_lines(record("forced", dry=True)) == [
        "churn: bbbb would be champion, by force, instead of aaaa",
        "  Because.",
        "",
        "Dry run: nothing was changed.",
    ]
    assert promote_lines(record("first", champion=None))[0].endswith("champion now, the first")
    assert promote_lines(record("refused"))[0] == "churn: bbbb is refused"
    assert promote_lines(record("nothing", version=None))[0] == "churn: nothing to do"
    assert promote_lines(record("rolled_back"))[0].startswith("churn: bbbb is champion again")


def test_the_comparison_is_a_table() -> None:
    lines = promote_lines(record("promoted", comparison=COMPARED))
    text = "\n".join(lines)
    assert "Compared: both bundles as they stand." in text
    assert "2,400 rows of 800 accounts at 3 prediction times (2024-01-01 to 2024-03-01)" in text
    (loss,) = [line for line in lines if line.strip().startswith("log loss  ")]
    assert loss.split() == ["log", "loss", "0.2512", "0.2389", "+0.0123", "[+0.0040,", "+0.0200]"]
    assert [line.split("]")[-1].strip() for line in lines if line.startswith("  segment: ")] == [
        "too few outcomes",
        "MUCH WORSE",
        "",
    ]
    (skill,) = [line for line in lines if line.strip().startswith("gain over base rate")]
    assert skill.split()[-2:] == ["0.0310", "0.0310"]
    assert lines[-2].strip() == (
        "The outcomes of 2024-01-01 to 2024-03-01 have decided 3 contests and tested 2 recipes: "
        "the best of many on the same past looks better there than it is."
    )
    assert "trained with labels.gap_days 7" in lines[-1]


def test_notes_of_mlflow_come_last() -> None:
    note = "acme-churn: alias champion set to version 2 (bbbb)"
    assert promote_lines(record("promoted", notes=(note,)))[-1].startswith(
        "acme-churn: alias champion"
    )


def test_a_challenger_in_the_shadow_is_put_in_words() -> None:
    early = ShadowRecord(
        champion="aaaaaaaaaaaa",
        challenger="bbbbbbbbbbbb",
        runs=2,
        rows=812,
        last="2024-03-01",
        mean_champion=0.081,
        mean_challenger=0.094,
        apart=0.021,
    )
    ((title, sentences, figures),) = shadow_view({"churn": early})
    assert (title, figures) == ("churn", None)
    assert sentences[0].startswith("The challenger bbbbbbbbbbbb gave 812 scores at 2 prediction")
    assert sentences[-1] == "Which of them is right is not known yet: too few outcomes are."
    matured = early.model_copy(
        update={
            "posted_rows": 3,
            "posted_apart": 0.01,
            "comparison": Comparison.model_validate(COMPARED),
        }
    )
    page = render(training_record(), shadows={"churn": matured})
    assert "Champion and challenger side by side" in page
    assert "On 3 posted rows they differ by 1.0% on average." in page
    assert "+0.0123 [+0.0040, +0.0200]" in page
    assert "side by side" not in render(training_record())
