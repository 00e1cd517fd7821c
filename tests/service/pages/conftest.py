"""A world full of hostile text, scored twice, and its pages: in this process and on a port."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import uvicorn
from starlette.testclient import TestClient

from report.forecast_record import forecast_fit
from report.record import changed, record
from service.processes import free_port
from tenure.core.config import Config, load_config
from tenure.core.files import write_json, write_text
from tenure.run.score import run_score
from tenure.score.store.book_records import FIRST_PAGE
from tenure.score.store.keys import KeyStore
from tenure.service.access import Access
from tenure.service.pages.app import make_pages
from tenure.service.pages.state import PageState

if TYPE_CHECKING:
    from service.conftest import Tiny

PAGES = (
    "/app/",
    "/app/account?id={}",
    "/app/lately?id={}",
    "/app/alike?id={}",
    "/app/worklist",
    "/app/drivers",
    "/app/changes?id={}",
    "/app/metrics",
    "/app/forecast?by=segment",
    "/app/model",
    "/app/data",
    "/app/mine",
)
EARLIER = datetime(2023, 12, 1)
SCRIPT = "<script>document.title='run'</script>"
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror="document.title=\'run\'">',
    '=HYPERLINK("http://example.invalid","click")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "-2+3",
    "\u202egnp.tneduts \u2066abc",
    "x" * 10_000,
    "Ünïcode 👩‍👩‍👧 Söhne",
    "null\0byte",
    "'; DROP TABLE scores; --",
    "{{ 7 * 7 }} {% raw %}",
    "\t=1+1",
    "café, “quoted”",
)
CONFIG = """\
name: tiny
data: {{path: {root}/data}}
paths: {{models: {models}, runs: {root}/runs}}
model: {{threads: 1}}
engine: {{threads: 1}}
success: {{health: [{{weight: 1, measure: retention}}]}}
"""


@dataclass(frozen=True)
class Shown:
    """A scored world and what opens its pages.

    Attributes:
        riskiest: Id of the account with the highest probability of churn.
        names: Account id → its name.
    """

    config: Config
    riskiest: str
    names: dict[str, str]

    def state(self) -> PageState:
        return PageState(self.config)


@pytest.fixture(scope="session")
def shown(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(tiny.config.data.path, root / "data")
    names = _poison(root / "data")
    models = Path(tiny.config.paths.models).resolve()
    write_text(root / "config.yaml", CONFIG.format(root=root, models=models))
    config = load_config(root / "config.yaml")
    for as_of in (EARLIER, None):
        run_score(config, root / "scores.csv", as_of)
    _rejects(config.paths.runs / "rejects")
    trained = changed(record(dirty=True), {"name": "tiny"})
    write_json(
        config.paths.runs / "training.json",
        trained.model_copy(update={"forecast": forecast_fit()}).to_json(),
    )
    state = PageState(config)
    first = state.books.rows(state.store.runs()[-1], FIRST_PAGE)[0]
    state.close()
    return Shown(config, first.account_id, names)


def _poison(data: Path) -> dict[str, str]:
    """Give every account a hostile name, and the tables hostile words; return the names."""
    accounts = pd.read_parquet(data / "accounts.parquet")
    accounts["name"] = [HOSTILE[n % len(HOSTILE)] for n in range(len(accounts))]
    accounts.to_parquet(data / "accounts.parquet", index=False)
    for table, column in (
        ("touchpoints", "note"),
        ("survey_responses", "comment"),
    ):
        rows = pd.read_parquet(data / f"{table}.parquet")
        rows[column] = [HOSTILE[n % len(HOSTILE)] for n in range(len(rows))]
        rows.to_parquet(data / f"{table}.parquet", index=False)
    return dict(zip(accounts["account_id"], accounts["name"], strict=True))


def _rejects(folder: Path) -> None:
    folder.mkdir()
    row = '{"account_id": "<script>document.title=1</script>", "mrr": "=1+1"}'
    frame = pd.DataFrame({"reason": ["unknown_account"], "rule": ["must stand"], "row": [row]})
    frame.to_parquet(folder / "subscriptions.parquet", index=False)


def access_of(state: PageState) -> Access:
    keys = KeyStore(state.store.engine)
    return Access(state.config.service, lambda: keys, b"secret")


@pytest.fixture
def client(shown: Shown) -> Iterator[TestClient]:
    """A browser on this machine, without a screen."""
    state = shown.state()
    access = access_of(state)
    app = make_pages(state, access)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 9)) as opened:
        yield opened
    access.close()
    state.close()


Serving = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def serving(shown: Shown) -> Serving:
    """Serves the pages on a port while a block lasts; each time anew, from the same store."""

    @contextlib.contextmanager
    def run() -> Iterator[str]:
        state = shown.state()
        access, port = access_of(state), free_port()
        settings: dict[str, Any] = {"log_level": "error", "port": port, "lifespan": "off"}
        server = uvicorn.Server(uvicorn.Config(make_pages(state, access), **settings))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
            access.close()
            state.close()

    return run
