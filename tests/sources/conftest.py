"""Small folders of tables, and a way to load them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.core.config import make_config
from tenure.core.progress import Progress
from tenure.engine import Engine, open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

ACCOUNTS = """\
account_id,created_at,segment
a,2023-01-05,smb
b,2023-02-05,mid
c,2023-03-05,smb
"""
SUBSCRIPTIONS = """\
account_id,started_at,ended_at,mrr,currency
a,2023-01-10,,100,USD
b,2023-02-10,2023-09-01,200,USD
c,2023-03-10,2024-03-10,50.5,USD
"""
TICKETS = """\
ticket_id,account_id,opened_at,resolved_at
t1,a,2023-05-01 10:00,2023-05-03 09:00
t2,b,2023-06-01T10:00:00Z,
t3,b,2023-12-30T23:00:00-05:00,
"""

Load = Callable[..., Dataset]


class Recorder(Progress):
    """Progress as lists: the stages, what each step is about, the notes."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.steps: list[str] = []
        self.notes: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def step(self, done: int, total: int | None, what: str = "") -> None:
        self.steps.append(what)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    config = make_config({"data": {"path": "."}}, base=tmp_path_factory.mktemp("base"))
    engine = open_engine(config)
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three small tables; a test adds to it or spoils it."""
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    (tmp_path / "tickets.csv").write_text(TICKETS)
    return tmp_path


@pytest.fixture
def read(folder: Path) -> Iterator[Load]:
    """Load the folder with the settings given under `data`."""
    engines: list[Engine] = []

    def run(**data: Any) -> Dataset:
        config = make_config({"data": {"path": str(folder)} | data}, base=folder)
        engines.append(open_engine(config))
        return load(config, engines[-1])

    yield run
    for item in engines:
        item.close()


def rows(dataset: Dataset, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a SELECT over a dataset's tables."""
    return dataset.engine.fetch(sql).to_pylist()
