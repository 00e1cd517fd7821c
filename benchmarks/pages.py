"""Measure the analysts' pages: a page of the book and of an account, beside bare Starlette pages.

Run: ``python benchmarks/pages.py [--accounts 20000] [--runs 12] [--store FILE]``

The store is written by the package's own writer from the generated book of `benchmarks/store.py`,
each of whose accounts stands for several.  The bare pages read the same rows of the same store by
one plain statement for the table and one for its sums, and fill a plain template of as many bytes;
both are asked in turn by the same client.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import store as book_of
from jinja2 import Environment
from record import Claim, record
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tenure.core.config import make_config
from tenure.score.scored import Contributions, Scored
from tenure.score.store.database import connect
from tenure.score.store.keys import KeyStore
from tenure.score.store.store import ScoreStore
from tenure.service.access import Access
from tenure.service.pages.app import make_pages
from tenure.service.pages.state import PageState

if TYPE_CHECKING:
    from starlette.requests import Request

DRAWN = 2_000
"""Accounts that are generated; further ones repeat them under other names."""
ROWS = """
SELECT s.account_id, a.name, a.owner, a.segment, s.mrr, s.currency, s.probability, s.lo, s.hi,
  s.band, s.renews_at, a.notice_by, e.probability AS expansion, p.probability AS earlier
FROM scores AS s
LEFT JOIN run_accounts AS a ON a.account_id = s.account_id AND a.run_no = s.run_no
LEFT JOIN scores AS e ON e.account_id = s.account_id AND e.run_no = s.run_no
  AND e.target = 'expansion' AND e.horizon = '90'
LEFT JOIN scores AS p ON p.account_id = s.account_id AND p.run_no = s.run_no - 1
  AND p.target = 'churn' AND p.horizon = '90'
WHERE s.run_no = :run AND s.target = 'churn' AND s.horizon = '90'
ORDER BY s.probability DESC LIMIT 50 OFFSET :offset
"""
SUMS = """
SELECT currency, COUNT(*), SUM(mrr), SUM(amount_at_risk) FROM scores
WHERE run_no = :run AND target = 'churn' AND horizon = '90' GROUP BY currency
"""
HISTORY = """
SELECT s.*, r.as_of, b.drivers FROM scores AS s JOIN runs AS r ON r.run_no = s.run_no
JOIN blocks AS b ON b.run_no = s.run_no AND b.target = s.target AND b.horizon = s.horizon
  AND b.block = s.place / 16
WHERE s.account_id = :account ORDER BY r.as_of
"""
TEMPLATE = """<!DOCTYPE html><html><body><table>{% for row in sums %}<tr>{% for value in row %}
<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}{% for row in rows %}<tr>{% for value in row %}
<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}</table><p>{{ rest }}</p></body></html>"""


def larger(book: book_of.Book, accounts: int) -> book_of.Book:
    """Return a book of more accounts, of which each stands for several, with names and owners."""
    times = -(-accounts // DRAWN)
    parts = [part for _, part in book.rows.groupby("horizon_days", sort=True)]
    numbers = np.arange(DRAWN * times)
    named = {
        "account_id": pd.Series([f"acc-{n:05}" for n in numbers], dtype="str"),
        "name": pd.Series([f"Company {n:05}" for n in numbers], dtype="str"),
        "owner": pd.Series([f"owner {n % 40:02}" for n in numbers], dtype="str"),
        "segment": pd.Series([("small", "mid", "large")[n % 3] for n in numbers], dtype="str"),
        "plan": pd.Series([("basic", "plus", "pro")[n % 3] for n in numbers], dtype="str"),
    }
    grown = [
        pd.concat([part] * times, ignore_index=True).assign(
            **named, notice_by=lambda rows: rows["renews_at"] - pd.Timedelta(days=30)
        )
        for part in parts
    ]
    tiled = {
        target: {
            horizon: (np.tile(values, (times, 1)), np.tile(telling, (times, 1)))
            for horizon, (values, telling) in horizons.items()
        }
        for target, horizons in book.contributions.items()
    }
    return replace(book, rows=pd.concat(grown, ignore_index=True), contributions=tiled)


def write(path: Path, accounts: int, runs: int) -> None:
    book = larger(book_of.make_book(DRAWN), accounts)
    for month in range(runs):
        scored = book_of.dealt(book, month)
        names = ["name", "owner", "segment", "plan"]
        own = book.rows[names].to_numpy()
        scored = replace(scored, rows=scored.rows.assign(**dict(zip(names, own.T, strict=True))))
        assert isinstance(scored, Scored)
        assert isinstance(scored.contributions["churn"]["90"], Contributions)
        engine = connect(f"sqlite:///{path}")
        ScoreStore(engine, book_of.PROJECT).add(book_of.run_of(month), scored)
        engine.dispose()
        print(f"run {month + 1} of {runs} is written", flush=True)


def bare(engine: Engine, sizes: dict[str, int]) -> Starlette:
    """Return bare pages that read the same rows, each padded to a number of bytes."""
    template = Environment(autoescape=True).from_string(TEMPLATE)

    def page(name: str, rows: Any, sums: Any) -> HTMLResponse:
        body = template.render(rows=rows, sums=sums, rest="")
        return HTMLResponse(
            template.render(rows=rows, sums=sums, rest="x" * (sizes[name] - len(body)))
        )

    def book(request: Request) -> HTMLResponse:
        values = {"run": int(request.query_params["run"]), "offset": 0}
        with engine.connect() as connection:
            rows = connection.execute(text(ROWS), values).all()
            sums = connection.execute(text(SUMS), values).all()
        return page("book", rows, sums)

    def account(request: Request) -> HTMLResponse:
        with engine.connect() as connection:
            values = {"account": request.query_params["id"]}
            rows = connection.execute(text(HISTORY), values).all()
        plain = [[value for value in row if not isinstance(value, bytes)] for row in rows]
        return page("account", plain, [])

    return Starlette(routes=[Route("/book", book), Route("/account", account)])


def in_turn(calls: dict[str, Callable[[int], Any]], times: int) -> dict[str, float]:
    """Return the median milliseconds of calls that take turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(times + 2):
        for name, call in calls.items():
            started = time.perf_counter()
            call(number)
            taken[name].append(1e3 * (time.perf_counter() - started))
    return {name: statistics.median(values[2:]) for name, values in taken.items()}


def client(app: Any) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))


def measured(path: Path, folder: Path, times: int) -> list[Claim]:
    settings = {"name": book_of.PROJECT, "data": {"path": "data"}}
    settings |= {
        "store": {"url": f"sqlite:///{path}"},
        "paths": {"runs": str(folder / "runs"), "models": str(folder / "models")},
    }
    state = PageState(make_config(settings, base=folder))
    keys = KeyStore(state.store.engine)
    access = Access(state.config.service, lambda: keys, b"benchmark")
    pages = client(make_pages(state, access))
    runs = state.store.runs()
    ids = [f"acc-{n:05}" for n in np.random.default_rng(1).integers(0, runs[-1].accounts, 500)]
    links = {
        "book": lambda _: "/app/",
        "book, another order": lambda n: f"/app/?sort={('-change', 'account', 'renews_at')[n % 3]}",
        "book, of one owner": lambda n: f"/app/?owner=owner+{n % 40:02}",
        "account": lambda n: f"/app/account?id={ids[n]}",
        "accounts like one": lambda n: f"/app/alike?id={ids[n]}",
    }

    def get(link: Callable[[int], str]) -> Callable[[int], Any]:
        return lambda n: pages.get(link(n)).raise_for_status()

    sizes = {name: len(pages.get(links[name](0)).content) for name in ("book", "account")}
    plain = client(bare(state.store.engine, sizes))
    calls = {name: get(link) for name, link in links.items()}
    calls["bare book"] = lambda _: plain.get(f"/book?run={runs[-1].number}").raise_for_status()
    calls["bare account"] = lambda n: plain.get(f"/account?id={ids[n]}").raise_for_status()
    taken = in_turn(calls, times)
    whole = runs[-1].accounts >= 20_000 and len(runs) >= 12
    limits = {"book": 150, "book, another order": 150, "book, of one owner": 150, "account": 250}
    claims = [
        Claim(f"a page: {name}", value, "ms", limits.get(name) if whole else None)
        for name, value in taken.items()
    ]
    for name in ("book", "account"):
        ratio = taken[name] / taken[f"bare {name}"]
        claims.append(Claim(f"{name} against a bare page", ratio, "×", 3.0 if whole else None))
    access.close()
    state.close()
    return claims


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--store", type=Path, help="where the store is left, to be used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.store or Path(folder) / "tenure.db"
        if not path.is_file():
            write(path, options.accounts, options.runs)
        claims = measured(path, Path(folder), options.times)
    return 0 if record("pages", claims) else 1


if __name__ == "__main__":
    sys.exit(main())
