"""The schema has a version, and an older store is brought up to date when it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from score.small_world import World
from tenure.core.config import Config
from tenure.core.errors import ConfigError
from tenure.core.sections import StoreConfig
from tenure.score.store.database import connect, store_url, writing
from tenure.score.store.schema import HEAD, METADATA


def test_the_default_is_a_file_among_the_runs(world: World) -> None:
    assert store_url(world.config) == f"sqlite:///{world.config.paths.runs}/tenure.db"


def test_the_steps_lead_to_the_declared_schema(bare_url: str) -> None:
    engine = connect(bare_url)
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        assert tables == {*METADATA.tables, "alembic_version"}
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
        assert version == HEAD
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_an_older_store_is_brought_up_to_date_with_what_it_holds(bare_url: str) -> None:
    engine = connect(bare_url)
    with writing(engine) as connection:
        for name in reversed(METADATA.sorted_tables):
            connection.execute(text(f"DROP TABLE {name.name}"))
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("CREATE TABLE of_somebody_else (a INTEGER)"))
    engine.dispose()
    engine = connect(bare_url)
    with engine.connect() as connection:
        assert {*METADATA.tables, "of_somebody_else"} <= set(inspect(connection).get_table_names())
    engine.dispose()


def test_a_newer_store_is_left_alone(url: str) -> None:
    engine = connect(url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ConfigError, match=r"another version of Tenure \(found: schema 9999\)"):
        connect(url)


def test_sqlite_is_in_wal_mode(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/a.db").dispose()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_is_no_database_is_named_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_text("not a database, but long enough to be taken for one" * 9)
    with pytest.raises(ConfigError, match=r"cannot be used .*file is not a database"):
        connect(f"sqlite:///{tmp_path}/b.db")
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        connect("postgresql://me:s3cret@127.0.0.1:1/nowhere?connect_timeout=2")
    assert "s3cret" not in str(caught.value)
    assert "***" in str(caught.value)


def test_the_password_stands_in_no_record(config: Config) -> None:
    secret = StoreConfig(url="postgresql://me:s3cret@db/tenure")
    changed = config.model_copy(update={"store": secret})
    assert "s3cret" not in changed.model_dump_json()
    assert "s3cret" not in repr(changed)


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must begin with postgresql\+psycopg"):
        StoreConfig(url="mysql://db/tenure")
