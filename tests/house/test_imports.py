"""Importing the package is cheap: no stage loads a heavy library that is not its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from house.tree import PACKAGE, settings
from tenure.demo import write_world

DOORS = {  # the layers that are a door themselves, and what may stand behind them
    "client": {"httpx"},
    "explain": {"shap"},
    "score": {"lightgbm", "sklearn"},  # a bundle is what it scores with
    "service": {"bentoml"},
}
HEAVY = set(
    settings()["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-module-level-imports"]
) | {"numba", "sklearn"}
COSTLY = HEAVY | {"numpy", "pandas", "pyarrow", "pydantic", "rich", "scipy", "sqlglot", "yaml"}


def loaded_by(module: str) -> set[str]:
    """Return the top-level names in a fresh interpreter after one import."""
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return set(answer.stdout.split())


TRAINING = {"lightgbm", "sklearn", "scipy", "mlflow", "shap", "optuna", "altair"}
SERVING = {"bentoml", "pyspark", "sqlalchemy"}
"""What no command needs that neither trains nor serves."""


def loaded_by_command(*words: str, cwd: Path) -> set[str]:
    """Return the top-level names in a fresh interpreter after a command that succeeds."""
    code = (
        "import sys\nfrom tenure.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "print('loaded', *{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code, *words]
    answer = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
    return set(answer.stdout.rpartition("loaded ")[2].split())


def layers() -> list[str]:
    """Return the children of the package, packages and single modules alike."""
    names = {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    return sorted(names | {path.parent.name for path in PACKAGE.glob("*/__init__.py")})


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"tenure", "numpy"} <= loaded_by("tenure, numpy")


def test_the_package_alone_loads_nothing_costly() -> None:
    assert not loaded_by("tenure") & COSTLY


def test_the_command_line_itself_loads_what_faces_a_terminal(tmp_path: Path) -> None:
    loaded = loaded_by_command("--help", cwd=tmp_path)
    assert "click" in loaded
    assert not loaded & ((COSTLY | TRAINING | SERVING) - {"rich"})


@pytest.mark.slow
def test_a_check_loads_nothing_that_trains_or_serves(tmp_path: Path) -> None:
    write_world(tmp_path / "data", accounts=50, months=12, seed=1)
    (tmp_path / "small.yaml").write_text("data: {path: data}\n", encoding="utf-8")
    loaded = loaded_by_command("check", "small.yaml", cwd=tmp_path)
    assert {"duckdb", "pandas"} <= loaded
    assert not loaded & (TRAINING | SERVING)


@pytest.mark.parametrize("layer", layers())
def test_a_layer_loads_no_heavy_library(layer: str) -> None:
    assert not loaded_by(f"tenure.{layer}") & (HEAVY - DOORS.get(layer, set()))


def test_every_heavy_dependency_has_a_door() -> None:
    contracts = settings()["tool"]["importlinter"]["contracts"]
    doors = {name for contract in contracts for name in contract.get("forbidden_modules", [])}
    assert doors >= HEAVY - {"matplotlib", "numba"}  # these two are only brought by others
