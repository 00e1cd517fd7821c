"""Every page: that it opens to those who may see it, says what it should, and runs nothing."""

from __future__ import annotations

import csv
import io
import re
import threading
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.routing import Route
from starlette.testclient import TestClient

from report.record import record
from service.pages.conftest import HOSTILE, PAGES, SCRIPT, Shown, access_of
from tenure.report.sentences.values import cut, money
from tenure.run.forecast import run_forecast
from tenure.score.store.keys import KeyStore
from tenure.service.access import CSRF_FIELD
from tenure.service.pages.app import HEADERS, make_pages
from tenure.service.pages.state import PageState

RAW_NAME = re.compile(r"(?<![`\w])[a-z]+(?:_[a-z0-9]+)+(?![`\w])")
NAMED = {
    "/app/model": {"num_leaves", "learning_rate", "profit_"},
    "/app/data": {"account_id"},
    "/app/metrics": {
        *("profit_margin", "loss_at_renewal", "notice_period_days", "reopened_at"),
        *("activation_event", "activation_days"),
    },
}
"""Page → names of settings, or of columns of people's own tables, that it asks for."""


class Read(HTMLParser):
    """What a browser makes of a page: its tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_and_runs_nothing_of_others(
    client: TestClient, shown: Shown, path: str
) -> None:
    answer = client.get(path.format(shown.riskiest))
    assert answer.status_code == 200
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    page = Read(answer.text)
    scripts = [attrs for tag, attrs in page.tags if tag == "script"]
    assert scripts == [{"src": "/static/htmx.min.js", "defer": None}]
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "style", "base"}]
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "action"):
            link = attrs.get(name) or "/"
            assert link.startswith(("/", "#", "data:,")), link
            assert not link.startswith("//")
    assert not re.search(r"\b(nan|None(?! of the )|NaT|null)\b", page.text.replace("null�byte", ""))
    assert set(RAW_NAME.findall(page.text)) <= NAMED.get(path, set())


def test_hostile_names_are_text_in_the_book(client: TestClient, shown: Shown) -> None:
    words = ""
    for number in (1, 2):
        words += Read(client.get(f"/app/?page={number}").text).text
    for name in HOSTILE:
        if name in shown.names.values() and not name.startswith(("\t", "{{")):
            assert " ".join(cut(name).split()) in words
    assert "{{ 7 * 7 }}" in words
    assert "x" * 201 not in words


def test_hostile_words_are_text_in_what_happened(client: TestClient, shown: Shown) -> None:
    state = shown.state()
    try:
        rows = state.books.rows(state.store.runs()[-1])
    finally:
        state.close()
    words = "".join(client.get(f"/app/lately?id={row.account_id}").text for row in rows[:8])
    assert SCRIPT not in words
    assert "&lt;script&gt;" in words
    assert "\u202e" not in words
    assert "\0" not in words
    assert re.search(
        r"Weighted health \d+ of 100.*; the model’s band is (high|medium|low)\.", words
    )


def test_a_download_runs_no_formula(client: TestClient, shown: Shown) -> None:
    answer = client.get("/app/book.csv?sort=account")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    names = [row[1] for row in rows[1:]]
    assert len(names) > 40
    assert not [name for name in names if name.lstrip().startswith(("=", "+", "-", "@"))]
    assert any(name.startswith("'=HYPERLINK") for name in names)
    book = load_workbook(io.BytesIO(client.get("/app/book.xlsx?sort=account").content))
    sheet = book["Book"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert not [cell for cell in cells if cell.hyperlink]
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    assert '=HYPERLINK("http://example.invalid","click")' in texts
    assert sheet.max_row == len(rows)


def test_a_view_is_what_its_link_says(client: TestClient, shown: Shown) -> None:
    small = Read(client.get("/app/?segment=small&sort=-mrr").text)
    assert [attrs for tag, attrs in small.tags if attrs.get("aria-sort") == "descending"]
    amounts = [float(text.split()[0].replace(",", "")) for text in mrr_cells(client)]
    assert amounts == sorted(amounts, reverse=True)
    answer = client.get("/app/?owner=&segment=small&sort=-mrr", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/app/?segment=small&sort=-mrr",
    )
    earlier = Read(client.get("/app/?as_of=2023-12-01").text).text
    assert "Book of 1 Dec 2023" in earlier
    assert "no earlier run" in earlier
    assert client.get("/app/?as_of=1999-01-01").status_code == 404
    assert "MRR at risk in the high band" in earlier
    assert "No account meets" in client.get("/app/?search=%25%25nobody").text


def mrr_cells(client: TestClient) -> list[str]:
    page = client.get("/app/?column=mrr&sort=-mrr").text
    return re.findall(r'<td class="num"><bdi>([\d,]+ \w+)</bdi>', page)


@pytest.mark.parametrize(
    "link",
    [
        *("/app/account?id=nobody", "/app/account", "/app/account?id=%00", "/app/nothing"),
        *("/app/book.exe", "/app/?as_of=x", "/app/worklist?owner=nobody", "/static/../app.py"),
        "/app/?search=" + "x" * 5000,
    ],
)
def test_what_does_not_exist_is_said_in_words(client: TestClient, link: str) -> None:
    assert client.get(link).status_code == 404


def test_the_page_of_the_data_has_its_title_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageState, "data", lambda _: record().data)
    titles = re.findall(r"<h[12]>(.*?)</h[12]>", client.get("/app/data").text)
    assert titles == ["Data", "Tables", "Rejected rows"]


def test_a_link_that_names_no_account_says_so(client: TestClient) -> None:
    page = Read(client.get("/app/account").text)
    assert "The link names no account. Search the book for its name." in page.text


def test_before_the_first_scores_the_next_step_is_said(shown: Shown, tmp_path: Path) -> None:
    paths = shown.config.paths.model_copy(update={"runs": tmp_path})
    state = PageState(shown.config.model_copy(update={"paths": paths}))
    access = access_of(state)
    app = make_pages(state, access)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 9)) as opened:
        for path in ("/app/", "/app/worklist", "/app/forecast"):
            answer = opened.get(path)
            assert answer.status_code == 404
            words = "Nothing is scored yet Run tenure score CONFIG --out scores.csv first."
            assert words in Read(answer.text).text.replace("`", "")
    access.close()
    state.close()


def test_a_wrong_day_is_said_in_words(client: TestClient) -> None:
    answer = client.get("/app/metrics?from=yesterday")
    assert answer.status_code == 422
    assert "is not a day" in answer.text


def test_a_page_waits_for_the_tables_no_longer_than_an_answer_may(shown: Shown) -> None:
    service = shown.config.service.model_copy(update={"deadline_seconds": 0.1})
    state = PageState(shown.config.model_copy(update={"service": service}))
    access, free = access_of(state), threading.Event()
    app = make_pages(state, access)
    try:
        state.raw.threads.submit(free.wait)
        with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 9)) as client:
            for link in ("/app/metrics", f"/app/lately?id={shown.riskiest}"):
                answer = client.get(link)
                assert answer.status_code == 503, link
                assert "The tables are still being read" in answer.text
                assert int(answer.headers["retry-after"]) > 0
            assert client.get("/app/").status_code == 200
    finally:
        free.set()
        access.close()
        state.close()


def test_the_forecast_is_that_of_the_command(client: TestClient, shown: Shown) -> None:
    expected = run_forecast(shown.config, ["segment"])
    page = Read(client.get("/app/forecast?by=segment").text)
    figures = [one for one in expected.figures if one.name == "churned_mrr"]
    assert {one.period for one in figures} == {"month", "quarter"}
    assert any(one.group for one in figures)
    for one in figures:
        assert one.value is not None
        assert money(float(round(one.value)), one.currency) in page.text
    for words in ("Next month", "Next quarter", "80% interval", "Net revenue retention"):
        assert words in page.text
    assert "By segment" in page.text
    assert [tag for tag, _ in page.tags if tag == "svg"]
    whole = Read(client.get("/app/forecast").text).text
    assert "By segment" not in whole
    assert client.get("/app/forecast?by=colour").status_code == 422


def say(client: TestClient, shown: Shown, **fields: Any) -> Any:
    page = client.get(f"/app/account?id={shown.riskiest}").text
    token = re.search(rf'name="{CSRF_FIELD}" value="([^"]+)"', page)
    assert token is not None
    common = {CSRF_FIELD: token[1], "id": shown.riskiest, "target": "churn", "author": "Ada"}
    return client.post("/app/feedback", data=common | fields)


def test_what_people_say_stays_beside_the_score(client: TestClient, shown: Shown) -> None:
    page = client.get(f"/app/account?id={shown.riskiest}").text
    driver = re.search(r'name="driver" value="([^"]+)"', page)
    assert driver is not None
    note = f"remark {SCRIPT}"
    assert say(client, shown, driver=driver[1], verdict="wrong", note=note).status_code == 200
    assert say(client, shown, verdict="note", note="They love us").status_code == 200
    end = f"{datetime.now().year + 1}-01-01"  # noqa: DTZ005 - a day of the next year
    override = {"kind": "override", "band": "low", "reason": "They signed", "until": end}
    assert say(client, shown, **override).status_code == 200
    words = Read(client.get(f"/app/account?id={shown.riskiest}").text).text
    for text in ("remark <script>", "They love us", "They signed", "Override: low", "Ada"):
        assert text in words
    assert "the model’s own" in words  # its band stands beside the override
    assert "low by Ada" in Read(client.get("/app/").text).text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({CSRF_FIELD: "wrong"}, 403),
        ({"verdict": "note", "note": " "}, 422),
        ({"verdict": "maybe", "driver": "x"}, 422),
        ({"kind": "override", "band": "low", "reason": "x", "until": "2020-01-01"}, 422),
        ({"kind": "override", "band": "low", "reason": "x", "until": "9999-01-01"}, 422),
        ({"kind": "override", "band": "low", "reason": "x", "until": "soon"}, 422),
        ({"id": "nobody", "verdict": "note", "note": "x"}, 404),
        ({"target": "nothing", "verdict": "note", "note": "x"}, 422),
        ({"verdict": "note", "note": "x" * 200_000}, 422),
    ],
)
def test_what_cannot_be_said_is_refused(
    client: TestClient, shown: Shown, fields: dict[str, str], status: int
) -> None:
    assert say(client, shown, **fields).status_code == status


def routes(state: PageState) -> list[tuple[str, set[str]]]:
    """Every path of the pages but for files, with its methods."""
    app = make_pages(state, access_of(state))
    return [
        (route.path.replace("{rest:path}", "x"), route.methods or set())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/app")
    ]


def test_nobody_unknown_sees_any_page(shown: Shown) -> None:
    state = shown.state()
    app = make_pages(state, access_of(state))
    strangers = [
        TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.9", 9)),
        TestClient(app, base_url="http://evil.example", client=("127.0.0.1", 9)),
    ]
    every = routes(state)
    assert len(every) > 8
    for stranger in strangers:
        for path, methods in every:
            for method in methods:
                assert stranger.request(method, path).status_code == 403, path
    state.close()


def test_a_key_that_may_not_read_is_told_and_can_leave(shown: Shown) -> None:
    state = shown.state()
    access = access_of(state)
    key = KeyStore(state.store.engine).create("Ada", ["score"])[1]
    client = TestClient(
        make_pages(state, access),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 9),
    )
    entered = client.post("/sign-in", data={"key": key})
    assert entered.status_code == 403
    assert "This key may not read" in entered.text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', entered.text)[0]
    left = client.post("/app/sign-out", data={"csrf_token": token}, follow_redirects=False)
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    access.close()
    state.close()


def test_a_limited_key_sees_its_accounts_alone(shown: Shown) -> None:
    state = shown.state()
    access = access_of(state)
    everybody = state.books.rows(state.store.runs()[-1])
    owner = next(row.owner for row in everybody if row.owner)
    other = next(row for row in everybody if row.owner != owner)
    key = KeyStore(state.store.engine).create("Ada", ["read"], owner=owner)[1]
    client = TestClient(
        make_pages(state, access),
        base_url="http://127.0.0.1",
        headers={"Authorization": f"Bearer {key}"},
    )
    own = state.books.choices(state.store.runs()[-1]).owners[str(owner)]
    assert f"of {own} accounts" in client.get("/app/").text
    assert f"of {own} accounts" in client.get(f"/app/?owner={other.owner}").text
    file = client.get(f"/app/book.csv?owner={other.owner}").content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(file)))) == own + 1
    for page in ("account", "lately", "alike"):
        assert client.get(f"/app/{page}?id={other.account_id}").status_code == 404
    hidden = {row.account_id for row in everybody if row.owner != owner}
    for row in (row for row in everybody if row.owner == owner):
        alike = client.get(f"/app/alike?id={row.account_id}").text
        assert not hidden & set(re.findall(r"/app/account\?id=([\w-]+)", alike))
    assert client.get(f"/app/worklist?owner={other.owner}").status_code == 404
    for whole in ("model", "metrics", "data", "drivers", "forecast"):
        assert client.get(f"/app/{whole}").status_code == 403
    data = {"id": other.account_id, "verdict": "note", "note": "x"}
    assert client.post("/app/feedback", data=data).status_code == 403
    access.close()
    state.close()
