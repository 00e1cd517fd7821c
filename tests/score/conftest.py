"""A small scored world, made once for all tests of the room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from score.small_world import SETTINGS, World, fitted
from tenure.core.config import make_config
from tenure.demo import write_world
from tenure.run.prepare import loaded, prepare
from tenure.score.model import Model, joined
from tenure.score.scored import Scored


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("score")
    write_world(root / "data", accounts=120, months=24, seed=3)
    config = make_config(SETTINGS | {"paths": {"runs": str(root / "runs")}}, base=root)
    with loaded(config) as dataset:
        prepared = prepare(config, dataset)
        models = {
            name: Model.of(fitted(name, prepared, dataset, config)) for name in config.targets
        }
        yield World(config, dataset, joined(models))


@pytest.fixture(scope="session")
def scored(world: World) -> Scored:
    return world.scored()
