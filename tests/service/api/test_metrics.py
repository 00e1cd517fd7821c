"""What the processes of one service count together."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tenure.service.api.metrics import SHARED

if TYPE_CHECKING:
    from pathlib import Path

START = """
import os, signal
from tenure.service.api.metrics import Metrics
metrics = Metrics()
metrics.begin()
metrics.state({"churn": "%s"}, None, None, 0)
"""
KILLED = START + "metrics.end('/v1/score', 200, 0.1); metrics.begin(); os.kill(os.getpid(), 9)"
SWAPPED = START + "metrics.state({'churn': 'new'}, None, None, 0); print(metrics.text().decode())"


def process(folder: Path, program: str) -> str:
    """Run a process of the service, in which a warning is an error; return what it prints."""
    command = [sys.executable, "-W", "error::UserWarning", "-c", program]
    environment = os.environ | {SHARED: str(folder)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert not run.stderr, run.stderr
    return run.stdout


def test_a_process_that_was_killed_has_nothing_open_and_serves_nothing(tmp_path: Path) -> None:
    process(tmp_path, KILLED % "lost")
    text = process(tmp_path, SWAPPED % "former")
    assert "tenure_requests_open 1.0" in text
    assert 'tenure_requests_total{path="/v1/score",status="200"} 1.0' in text
    assert "lost" not in text


def test_ages_are_none_until_they_are_known(tmp_path: Path) -> None:
    text = process(tmp_path, SWAPPED % "former")
    assert "tenure_scores_age_seconds NaN" in text
    assert "tenure_data_age_seconds NaN" in text
    assert "tenure_store_up 1.0" in text


def test_only_the_model_that_is_served_counts_as_served(tmp_path: Path) -> None:
    text = process(tmp_path, SWAPPED % "former")
    assert 'tenure_model_info{target="churn",version="former"} 0.0' in text
    assert 'tenure_model_info{target="churn",version="new"} 1.0' in text
