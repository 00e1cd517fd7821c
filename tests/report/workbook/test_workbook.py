"""The workbook: its formulas recompute Tenure's values, and a changed cell fails a check."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import load_workbook

from tenure.core.config import make_config
from tenure.core.times import as_utc
from tenure.engine import open_engine
from tenure.report.workbook import sheets as workbook_sheets
from tenure.report.workbook.formulas import NoFormulaError, Rows, formula
from tenure.report.workbook.workbook import ALWAYS, write_workbook
from tenure.sources.load import load_frames
from tenure.success.definitions import METRICS
from tenure.success.interpret import MetricsRequest, metrics
from tenure.success.query import constants, with_constants
from worlds import TINY_UNTIL, tiny_world

CONFIG = make_config({"data": {"path": "."}, "metrics": {"notice_period_days": 60}}, base=Path())
EVIL = '=HYPERLINK("http://localhost","x")'
RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"""


def world() -> dict[str, pa.Table]:
    """The small world in two currencies, with names and words that look like formulas."""
    frames = tiny_world()
    accounts, rows = frames["accounts"], frames["subscriptions"]
    names = [EVIL, "+1+1", "@SUM(A1)", *(f"Name {n}" for n in range(9))]
    segments = ["*", "smb", "SMB", "=1", ">0", *accounts.column("segment").to_pylist()[5:]]
    accounts = accounts.append_column("name", pa.array(names))
    place = accounts.column_names.index("segment")
    accounts = accounts.set_column(place, "segment", pa.array(segments))
    owners = rows.column("account_id").to_pylist()
    currency = pa.array(["EUR" if owner in ("a02", "a09") else "USD" for owner in owners])
    rows = rows.set_column(rows.column_names.index("currency"), "currency", currency)
    return frames | {"accounts": accounts, "subscriptions": rows}


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    opened = open_engine(CONFIG)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def write(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def written(name: str, by: tuple[str, ...] = (), **wish: Any) -> Path:
        dataset = load_frames(world(), CONFIG, engine, observed_until=TINY_UNTIL)
        request = MetricsRequest(as_utc("2023-01-01"), as_utc("2024-01-01"), by, **wish)
        record = metrics(CONFIG, dataset, request, besides=ALWAYS)
        path = tmp_path_factory.mktemp("books") / f"{name}.xlsx"
        groups = tuple(one for one in by if one not in ("month", "quarter"))
        write_workbook(record, groups, constants(CONFIG), engine, path)
        assert [item.name for item in path.parent.iterdir()] == [path.name]
        return path

    return written


def cells(path: Path, sheet: str, *, values: bool = True) -> list[dict[str, Any]]:
    page = load_workbook(path, data_only=values)[sheet]
    head, *rows = page.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_what_a_reader_without_a_spreadsheet_program_sees_are_the_values(
    write: Callable[..., Path], engine: Any
) -> None:
    path = write("values", ("quarter",))
    shown = {
        (row["metric"], row["method"], row["from"], row["currency"]): row["value"]
        for row in cells(path, "Metrics")
    }
    dataset = load_frames(world(), CONFIG, engine, observed_until=TINY_UNTIL)
    request = MetricsRequest(as_utc("2023-01-01"), as_utc("2024-01-01"), ("quarter",))
    record = metrics(CONFIG, dataset, request)
    assert len(shown) == len(record.metrics)
    for row in record.metrics:
        value = shown[row.name, row.method, row.period_from, row.currency]
        assert (value or None) == pytest.approx(row.value or None)
    assert {row["result"] for row in cells(path, "Checks")} == {"PASS"}


def test_text_is_text_and_heads_stay(write: Callable[..., Path]) -> None:
    book = load_workbook(write("text", ("segment",)))
    assert book.sheetnames[:3] == ["Read me", "Metrics", "Checks"]
    names = {cell.value: cell for cell in book["Money"]["E"][1:]}
    assert names[EVIL].data_type == "s"
    assert names[EVIL].quotePrefix
    for page in book.worksheets[3:]:
        assert page.freeze_panes is not None
        assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
    assert {cell.value for cell in book["Metrics"]["E"]} >= {"=1", ">0", "*", "SMB", "smb"}


def test_a_relation_with_too_many_rows_is_left_out_and_its_metrics_are_values(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_sheets, "MOST_ROWS", 30)
    path = write("large", only=("mrr", "tickets_opened"))
    book = load_workbook(path)
    assert "Money" in book.sheetnames
    assert not {"Months", "Tickets"} & set(book.sheetnames)
    texts = {row[0].value: row[1].value for row in book["Read me"].iter_rows(max_col=2)}
    assert "left out" in texts["Tickets"]
    rows = {row["metric"]: row["value"] for row in cells(path, "Metrics", values=False)}
    assert rows["mrr"].startswith("=")
    assert rows["tickets_opened"] > 0


MEDIANS = {"median"}


@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, one.name)
        for name, metric in METRICS.items()
        if metric.relation != "scored"  # kept scores have no sheet: their figures are values
        for one in metric.methods
    ],
)
def test_every_metric_but_a_median_has_a_formula(name: str, method: str) -> None:
    class AnyColumn(dict[str, str]):
        def __contains__(self, name: object) -> bool:
            return True

        def __missing__(self, name: str) -> str:
            return "Money!$A$2:$A$9"

    rows = Rows(AnyColumn(first="Money!$A$2:$A$9"))
    declared = METRICS[name].method(method)
    numerator = with_constants(declared.numerator, constants(CONFIG))
    if method in MEDIANS:
        with pytest.raises(NoFormulaError):
            formula(numerator, rows)
    else:
        assert formula(numerator, rows)
        assert formula(with_constants(declared.denominator or "1", constants(CONFIG)), rows)


def recalculated(paths: list[Path], folder: Path) -> list[Path]:
    """The workbooks as LibreOffice computes and saves them."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed: no formula is computed")
    user = folder / "profile" / "user"
    user.mkdir(parents=True)
    (user / "registrymodifications.xcu").write_text(RECALCULATE, encoding="utf-8")
    out = folder / "computed"
    profile = f"-env:UserInstallation={user.parent.as_uri()}"
    words = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out)]
    done = subprocess.run(
        [*words, *map(str, paths)], capture_output=True, text=True, timeout=300, check=True
    )
    assert "rror" not in done.stdout + done.stderr
    return [out / path.name for path in paths]


Edit = Callable[[Any], None]


def set_cell(sheet: str, title: str, value: Any) -> Edit:
    def edit(book: Any) -> None:
        page = book[sheet]
        column = [cell.value for cell in page[1]].index(title) + 1
        page.cell(row=4, column=column).value = value

    return edit


EDITS: dict[str, Edit] = {
    "Money: rows in which start": set_cell("Money", "end_mrr", 1.0),
    "Months: rows in which start": set_cell("Months", "expansion", 12.5),
    "Months: rows that do not start": set_cell("Months", "start_mrr", 3.25),
    "Money: rows in exactly one": set_cell("Money", "currency", "JPY"),
    "Money: accounts of each period": set_cell("Money", "account_id", "a02"),
    "customer_retention_rate": set_cell("Accounts", "active_start", 0),
    "gross_renewal_rate": set_cell("Renewals", "renewed_mrr", 0.5),
    "csat": set_cell("Answers", "survey_type", "csi"),
    "mrr_start": set_cell("Metrics", "value", 1),
}


@pytest.mark.slow
def test_formulas_equal_tenure_and_a_changed_cell_fails(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    plain = write("plain")
    split = write("split", ("segment", "plan"))
    methods = {
        "quick_ratio": "strict_monthly",
        "gross_revenue_retention": "movements",
        "csat": "mean",
        "ces": "net_easy",
        "logo_churn_rate": "daily_sum",
    }
    other = write("other", ("quarter", "currency"), methods=methods)
    edited = []
    for number, edit in enumerate(EDITS.values()):
        book = load_workbook(plain)
        edit(book)
        edited.append(tmp_path / f"edited-{number}.xlsx")
        book.save(edited[-1])
    paths = recalculated([plain, split, other, *edited], tmp_path)
    for path in paths[:3]:
        lines = cells(path, "Checks")
        assert len(lines) > 60
        assert [line["check"] for line in lines if line["result"] != "PASS"] == []
        rows = cells(path, "Metrics")
        assert {row["check"] for row in rows} == {"PASS"}
        assert sum(row["value"] not in (None, "") for row in rows) > 30
        assert not [row for row in rows if str(row["value"]).startswith(("#", "Err:"))]
    for title, path in zip(EDITS, paths[3:], strict=True):
        failed = [line["check"] for line in cells(path, "Checks") if line["result"] == "FAIL"]
        assert any(check.startswith(title) for check in failed), (title, failed)
        assert failed[-1].startswith("All checks")
