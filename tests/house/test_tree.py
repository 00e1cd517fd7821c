"""Rules about the files of the project that no other tool checks."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from house.tree import PACKAGE, ROOT, imports, modules, project_files, settings, where

MOST_LINES = 350
MOST_LINES_IN_ALL = 67_900
MOST_BYTES = 2**20
PICKLES = {"cloudpickle", "dill", "joblib", "pickle", "shelve"}
PICKLING = {"load_pickle", "read_pickle", "to_pickle"}
BINARY = {".gz", ".ico", ".jpg", ".lock", ".parquet", ".png", ".svg", ".zip"}


def _path(name: str) -> Path:
    file = PACKAGE.parent / Path(*name.split("."))
    return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")


def _canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def _declared() -> set[str]:
    project = settings()["project"]
    extras = [item for group in project.get("optional-dependencies", {}).values() for item in group]
    return {_canonical(item) for item in [*project["dependencies"], *extras]}


@cache
def _distributions() -> dict[str, set[str]]:
    return {
        module: {_canonical(name) for name in names}
        for module, names in packages_distributions().items()
    }


def test_nothing_is_pickled() -> None:
    found = []
    for name, tree in modules().items():
        found += [f"{name}:{line}" for item, line in imports(tree) if item.split(".")[0] in PICKLES]
        found += [
            f"{name}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in PICKLING
        ]
        found += [
            f"{name}:{node.value.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and getattr(node.value, "value", True) is not False
        ]
    assert found == []


def test_files_are_small() -> None:
    assert len(project_files()) > len(modules())
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size
        for path in project_files()
        if path.stat().st_size > MOST_BYTES and path.name != "uv.lock"
    }
    assert large == {}


def _lines() -> dict[str, int]:
    """The lines of every module."""
    return {name: len(_path(name).read_text(encoding="utf-8").splitlines()) for name in modules()}


def test_modules_are_short() -> None:
    assert {name: lines for name, lines in _lines().items() if lines > MOST_LINES} == {}


def test_the_package_does_not_grow() -> None:
    assert sum(_lines().values()) <= MOST_LINES_IN_ALL


def test_no_file_names_a_machine() -> None:
    folders = "|".join(["root", "work", "Users/[a-z]+", "home/[a-z]+", "tmp/[a-z]+"])
    machine = re.compile(rf"(?<![\w./~}}\\-])/(?:{folders})/")
    found = []
    for path in project_files():
        if path.suffix in BINARY:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [where(path, n) for n, line in enumerate(lines, 1) if machine.search(line)]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b|raise NotImplemented" r"Error")
    found = []
    for path in project_files():
        if path.suffix == ".py":
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [where(path, n) for n, line in enumerate(lines, 1) if later.search(line)]
    assert found == []


def _unconditional_skips(tree: ast.Module) -> list[int]:
    lines = []
    guarded: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.ExceptHandler | ast.IfExp):
            guarded.update(ast.walk(node))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        text = ast.unparse(node)
        if text == "pytest.mark.skip" or (text == "pytest.skip" and node not in guarded):
            lines.append(node.lineno)
    return lines


def test_no_test_is_skipped_without_a_condition() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [where(path, line) for line in _unconditional_skips(tree)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("@pytest.mark.skip\ndef test(): ...", [1]),
        ("@pytest.mark.skipif(old, reason='x')\ndef test(): ...", []),
        ("def test():\n    pytest.skip('x')", [2]),
        ("def test():\n    if old:\n        pytest.skip('x')", []),
    ],
)
def test_the_skip_rule_sees_skips(text: str, lines: list[int]) -> None:
    assert _unconditional_skips(ast.parse(text)) == lines


def _drivers(tree: ast.AST) -> set[str]:
    """Return the drivers of databases that a module names, which are imported by their names."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"adbc_\w+", text)}


def test_every_dependency_is_imported() -> None:
    imported = {item.split(".")[0] for tree in modules().values() for item, _ in imports(tree)}
    imported |= {name for tree in modules().values() for name in _drivers(tree)}
    used = {
        _canonical(name) for module in imported for name in _distributions().get(module, {module})
    }
    assert sorted(_declared() - used) == []


def test_every_import_is_declared() -> None:
    found = []
    for name, tree in modules().items():
        for item, line in imports(tree):
            module = item.split(".")[0]
            if module == "tenure" or module in sys.stdlib_module_names:
                continue
            if not _distributions().get(module, {module}) & _declared():
                found.append(f"{name}:{line}: {module}")
    assert found == []


def test_the_lock_file_is_current() -> None:
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    probe = (
        subprocess.run([uv, "--version"], check=False, capture_output=True)
        if Path(uv).exists()
        else None
    )
    if probe is None or probe.returncode:
        pytest.skip("there is no uv to ask")
    answer = subprocess.run(
        [uv, "lock", "--check", "--offline"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
