"""What the package offers by name exists, and what exists is offered."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

import tenure
from house.tree import modules, settings
from tenure.core import errors


def _declared(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


EXPORTS = [(name, item) for name, tree in modules().items() for item in _declared(tree)]


@pytest.mark.parametrize(("module", "name"), EXPORTS)
def test_an_exported_name_exists(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


def test_the_package_exports_every_public_name() -> None:
    here = {
        name
        for name, value in vars(tenure).items()
        if str(getattr(value, "__module__", "")).startswith("tenure.")
    }
    assert here | set(tenure._HOMES) | {"__version__", "features"} == set(tenure.__all__)
    assert dir(tenure) == sorted(tenure.__all__)


def test_a_family_of_features_is_listed_whatever_was_imported_before() -> None:
    code = "import tenure; print({}len(tenure.features('usage')), len(tenure.features()))"
    lines = set()
    for before in ("", "tenure.run_train and "):  # loads the sub-package of that name first
        command = [sys.executable, "-c", code.format(before)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        lines.add(done.stdout)
    assert len(lines) == 1
    few, every = map(int, lines.pop().split())
    assert 0 < few < every


def test_the_error_tree_is_drawn_whole() -> None:
    drawn = errors.__doc__ or ""
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    ]
    errors_here = [name for name in classes if issubclass(getattr(errors, name), Exception)]
    assert len(errors_here) > 1
    assert [name for name in errors_here if name not in drawn] == []


def test_the_version_is_said_once() -> None:
    assert tenure.__version__ == settings()["project"]["version"] == version("tenure")


def test_the_command_points_at_a_function() -> None:
    (command,) = entry_points(group="console_scripts", name="tenure")
    assert callable(command.load())
