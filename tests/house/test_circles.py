"""No module of the package imports itself, however long the way round."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from house.tree import modules


def imported(tree: ast.AST, names: Collection[str]) -> set[str]:
    """The modules among some names that a tree imports, if only for a type checker."""
    targets: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            targets |= {name if name in names else node.module for name in members}
    return targets & set(names)


def circle(trees: Mapping[str, ast.AST]) -> list[str]:
    """The modules of one import circle in order, the first of them again at the end; else none."""
    graph = {name: imported(tree, trees.keys()) - {name} for name, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in reversed(error.args[1])]
    return []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"p.a": "import p.b", "p.b": "from p import a"}, True),
        ({"p.a": "def f():\n    from p.b import g", "p.b": "from p.a import f"}, True),
        ({"p.a": "from p.b import g", "p.b": "from p.c import g", "p.c": "import p.a"}, True),
        ({"p.a": "if TYPE_CHECKING:\n    from p.b import g", "p.b": "from p.a import f"}, True),
        ({"p.a": "from p.b import g", "p.b": "import json"}, False),
        ({"p": "from p.a import f", "p.a": "from p.b import g", "p.b": ""}, False),
    ],
)
def test_the_rule_sees_circles(texts: dict[str, str], expected: bool) -> None:
    assert bool(circle({name: ast.parse(text) for name, text in texts.items()})) == expected


def test_no_module_imports_itself_by_any_way_round() -> None:
    trees = modules()
    assert sum(len(imported(tree, trees.keys())) for tree in trees.values()) > len(trees)
    assert " → ".join(circle(trees)) == ""
