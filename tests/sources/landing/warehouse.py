"""Stand-ins for the drivers of warehouses: what they give is what Tenure has to land.

`arrow_driver` behaves as the ADBC drivers of Snowflake and BigQuery: batches of Arrow, names in
capitals, whole numbers as decimals of 38 digits, times with a zone.  `Dialect` behaves as a driver
with SQLAlchemy's interface, as that of Databricks: rows of Python values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy.engine.default import DefaultDialect

if TYPE_CHECKING:
    import pytest

START = datetime(2024, 1, 3, 8, 30)
TABLES: dict[str, dict[str, pa.Array]] = {
    "ACCOUNTS": {
        "ACCOUNT_ID": pa.array([Decimal(2**70), Decimal(7)], pa.decimal128(38, 0)),
        "CREATED_AT": pa.array([START, START], pa.timestamp("ns", "America/New_York")),
        "VIP": pa.array([True, None]),
        "TIER": pa.array(["a", "b"]).dictionary_encode(),
    },
    "SUBSCRIPTIONS": {
        "ACCOUNT_ID": pa.array([Decimal(2**70), Decimal(7)], pa.decimal128(38, 0)),
        "STARTED_AT": pa.array([START, START], pa.timestamp("us")),
        "MRR": pa.array([Decimal("50.10"), Decimal("20.00")], pa.decimal128(38, 2)),
        "ENDED_AT": pa.array([None, None], pa.date32()),
    },
}


class Cursor:
    """Answers `SELECT * FROM` one of the tables, two batches of one row."""

    def __init__(self, log: list[Any]) -> None:
        self._log, self._table = log, pa.table({})

    def execute(self, sql: str) -> None:
        self._log.append(sql)
        name = sql.rpartition(" ")[2].rpartition(".")[2].upper()
        if name not in TABLES:
            raise RuntimeError(f"002003: object {name} does not exist (token={self._log[0]})")
        self._table = pa.table(TABLES[name])

    def fetch_record_batch(self) -> pa.RecordBatchReader:
        return self._table.to_reader(max_chunksize=1)

    def close(self) -> None:
        self._log.append("cursor closed")


def arrow_driver(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """Install the stand-in as a package; return what it was called with, one after the other."""
    log: list[Any] = []

    def connect(uri: str | None = None, *, db_kwargs: dict[str, str] | None = None) -> Any:
        log.extend([uri, db_kwargs])
        return SimpleNamespace(cursor=lambda: Cursor(log), close=lambda: log.append("closed"))

    package, dbapi = ModuleType(name), ModuleType(f"{name}.dbapi")
    dbapi.connect = connect  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, package)
    monkeypatch.setitem(sys.modules, f"{name}.dbapi", dbapi)
    return log


class Answer:
    """A cursor of Python's DBAPI over rows."""

    arraysize = 1

    def __init__(self, answer: Callable[[str], tuple[list[str], list[Sequence[Any]]]]) -> None:
        self._answer = answer
        self.description: list[tuple[Any, ...]] = []
        self._rows: list[Sequence[Any]] = []

    def execute(self, sql: str, parameters: Any = ()) -> None:
        assert parameters in ((), None)
        names, rows = self._answer(sql)
        self.description, self._rows = [(name, *[None] * 6) for name in names], [*rows]

    def fetchmany(self, size: int = 1) -> list[Sequence[Any]]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def close(self) -> None:
        self._rows = []


def answer(sql: str) -> tuple[list[str], list[Sequence[Any]]]:
    """Return the rows of `SELECT * FROM catalog.schema.table` as a driver of Python gives them."""
    name = sql.rpartition(".")[2].upper()
    if name == "ACCOUNTS":
        zoned = START.replace(tzinfo=UTC)
        return ["account_id", "created_at"], [[2**70, zoned], [7, zoned]]
    return ["account_id", "started_at", "mrr"], [
        [2**70, START, Decimal("50.10")],
        ["7", START, Decimal("20.00")],
    ]


class Dialect(DefaultDialect):
    """What `databricks://` means while a test runs."""

    name = "databricks"
    supports_statement_cache = False

    @classmethod
    def import_dbapi(cls) -> Any:
        return SimpleNamespace(Error=RuntimeError, paramstyle="qmark", connect=cls.opened)

    @staticmethod
    def opened(**arguments: Any) -> Any:
        if arguments.get("password") != "let me in":
            raise RuntimeError(f"401: token {arguments.get('password')} is refused")
        return SimpleNamespace(
            cursor=lambda: Answer(answer), rollback=lambda: None, close=lambda: None
        )
