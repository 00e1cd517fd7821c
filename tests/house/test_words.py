"""Names say what a thing is: some words that only name the act of returning it are no names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from house.tree import modules

NOT_NAMES = frozenset({"found", "there", "said", "told", "asked", "given", "kept", "made"})


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a tree gives to something, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias):
            yield node.asname or "", getattr(node, "lineno", 0)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            yield node.name or "", node.lineno
        elif isinstance(node, ast.MatchMapping):
            yield node.rest or "", node.lineno


def offenders(tree: ast.AST) -> list[tuple[str, int]]:
    """The names that are none, private ones as well."""
    return [(name, line) for name, line in names(tree) if name.strip("_").lower() in NOT_NAMES]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("found = 1", "found"),
        ("for there, _ in x: ...", "there"),
        ("def f(*, given): ...", "given"),
        ("def _said(): ...", "_said"),
        ("class Kept: ...", "Kept"),
        ("class A:\n    told: int = 0", "told"),
        ("self.asked = 1", "asked"),
        ("f = lambda made: 1", "made"),
        ("with x as kept: ...", "kept"),
        ("if (said := x): ...", "said"),
        ("GIVEN = 1", "GIVEN"),
        ("not_asked = {'found': 1, 'said': there.kept}", None),
    ],
)
def test_the_rule_sees_names(text: str, name: str | None) -> None:
    assert [found for found, _ in offenders(ast.parse(text))] == ([name] if name else [])


def test_no_name_is_a_word_that_names_nothing() -> None:
    by_package: dict[str, list[str]] = {}
    for module, tree in modules().items():
        package = ".".join(module.split(".")[:2])
        places = [f"{module}:{line}: {name}" for name, line in offenders(tree)]
        by_package.setdefault(package, []).extend(places)
    by_package = {package: places for package, places in by_package.items() if places}
    report = "\n".join(
        f"{package}: {len(places)}\n  " + "\n  ".join(places)
        for package, places in by_package.items()
    )
    assert not by_package, f"names that name nothing:\n{report}"
