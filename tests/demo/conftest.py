from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from demo_truth import Replay, read_outcomes, write_oracle

from demo.written import MEDIUM, SMALL, Written
from tenure.demo import write_world


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(write_world(tmp_path_factory.mktemp("small"), **SMALL))


@pytest.fixture(scope="package")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(write_world(tmp_path_factory.mktemp("medium"), **MEDIUM))


@pytest.fixture(scope="package")
def judged(larger: Written, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder: Path = tmp_path_factory.mktemp("truth")
    truth = pd.read_parquet(write_oracle(folder, **MEDIUM, replay=Replay(16, 7)))
    outcomes = read_outcomes(larger.summary.folder, larger.until)
    return truth.merge(outcomes, on=["account_id", "as_of"], how="left", indicator=True)
