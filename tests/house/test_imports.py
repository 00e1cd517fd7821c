"""Importing the package is cheap: no stage loads a heavy library that is not its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from house.tree import PACKAGE, settings

DOORS = {  # the layers that are a door themselves, and what may stand behind them
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


def layers() -> list[str]:
    """Return the children of the package, packages and single modules alike."""
    names = {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    return sorted(names | {path.parent.name for path in PACKAGE.glob("*/__init__.py")})


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"tenure", "numpy"} <= loaded_by("tenure, numpy")


def test_the_package_alone_loads_nothing_costly() -> None:
    assert not loaded_by("tenure") & COSTLY


@pytest.mark.parametrize("layer", layers())
def test_a_layer_loads_no_heavy_library(layer: str) -> None:
    assert not loaded_by(f"tenure.{layer}") & (HEAVY - DOORS.get(layer, set()))


def test_every_heavy_dependency_has_a_door() -> None:
    contracts = settings()["tool"]["importlinter"]["contracts"]
    doors = {name for contract in contracts for name in contract.get("forbidden_modules", [])}
    assert doors >= HEAVY - {"matplotlib", "numba"}  # these two are only brought by others
