"""What the house rules look at: the files of the project, read once."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tenure"


@cache
def settings() -> dict[str, Any]:
    """The parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name, parsed."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


@cache
def project_files() -> tuple[Path, ...]:
    """The files that belong to the project: what git tracks and what it would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    if answer.returncode:  # an unpacked source archive has no git
        hidden = {".venv", ".uv", ".git", "runs", "models"}
        paths = (path for path in ROOT.rglob("*") if not hidden & set(path.parts))
    else:
        paths = (ROOT / name.decode() for name in answer.stdout.split(b"\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def imports(tree: ast.AST) -> list[tuple[str, int]]:
    """Every dotted name that a tree imports, at any depth, with its line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, node.lineno))
    return found


def where(path: Path, line: int) -> str:
    """A place as an editor reads it."""
    return f"{path.relative_to(ROOT)}:{line}"
