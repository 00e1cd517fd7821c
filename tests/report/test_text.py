from __future__ import annotations

from report.audit_record import check
from report.record import MODEL, data, expansion, record, refused, target, usable
from tenure.report.text import check_lines, train_lines


def test_red_stands_before_the_tables() -> None:
    lines = check_lines(check(data(dirty=True)))
    red = [place for place, line in enumerate(lines) if line.startswith("RED  ")]
    heads = next(place for place, line in enumerate(lines) if line.startswith("table "))
    assert len(red) == 2
    assert max(red) < heads


def test_a_check_says_what_was_found() -> None:
    rejects = {"subscriptions": "runs/rejects/subscriptions.parquet"}
    text = "\n".join(check_lines(check(data(), rejects=rejects)))
    for words in (
        "acme: 1,500 accounts, 428,175 rows in 4 tables",
        "Observation stopped at 2025-07-01 (exclusive).",
        "subscriptions  12  rows    duplicate key",
        "subscriptions   3  values  list_mrr: negative list mrr",
        "tickets.resolved_at: opened_at + 1 day + resolution_hours",
        "csm_tier: not a feature",
        "1 absent: there is no table `invoices`",
        "runs/rejects/subscriptions.parquet",
    ):
        assert words in text


def test_columns_line_up() -> None:
    lines = check_lines(check(data()))
    start = next(place for place, line in enumerate(lines) if line.startswith("table "))
    used = lines[start].index("used") + len("used")
    for line in lines[start + 1 : start + 5]:
        assert line[used - 1].isdigit()
        assert line[used] == " "


def test_unusable_data_is_said_in_red() -> None:
    lines = check_lines(check(data().model_copy(update={"usable": False})))
    assert any(line.startswith("RED  nothing can be asked") for line in lines)


def test_training_says_verdict_figures_and_place() -> None:
    lines = train_lines(record({"churn": usable()}))
    assert lines[0] == "Churn within 90 days: usable  (champion 0123456789abcdef)"
    figures = next(line for line in lines if "base rate" in line and "AUC" in line)
    assert "base rate 4.8% · AUC 0.720 [0.695, 0.745] · log loss 0.1780" in figures
    assert "  bundle: models/churn/0123456789abcdef" in lines


def test_training_says_what_is_not_in_mlflow() -> None:
    mlflow = {"store": "http://h", "error": "MLflow store http://h: cannot be reached"}
    found = target(model=MODEL | {"mlflow": mlflow})
    said = "  not recorded in MLflow: MLflow store http://h: cannot be reached"
    assert said in train_lines(record({"churn": found}))


def test_training_says_what_was_refused_and_what_to_do() -> None:
    lines = train_lines(record({"churn": refused(), "expansion": expansion()}, dirty=True))
    assert lines[0].startswith("RED  usage_events")
    churn = lines.index("Churn within 90 days: refused")
    assert lines[churn + 1].startswith("  Refused: the past holds 3 distinct churns")
    assert lines[churn + 2].startswith("  Give a longer history")
    assert not [line for line in lines[churn : churn + 4] if "bundle" in line]
    assert "  Adds nothing over MRR alone" in "\n".join(lines)


def test_the_report_is_named() -> None:
    found = record({"churn": usable()}, paths={"runs": "out/runs"})
    assert "report: out/runs/report.html" in train_lines(found)
