from __future__ import annotations

import pytest

from tenure.core import errors
from tenure.core.errors import ConfigError, Problem, TenureError, first_line, suggestion


def test_one_problem_is_one_line() -> None:
    problem = Problem("tickets.opened_at", "is not a time", "soon", "map another column")
    assert str(ConfigError(problem)) == (
        "tickets.opened_at: is not a time (found: soon) → map another column"
    )
    assert str(ConfigError(Problem("a", "is wrong"))) == "a: is wrong"


def test_many_problems_come_at_once() -> None:
    error = ConfigError(Problem("a", "is wrong"), "b is wrong too")
    assert str(error).splitlines() == ["2 problems:", "  - a: is wrong", "  - b is wrong too"]
    assert len(error.problems) == 2


def test_each_kind_of_error_has_an_exit_code_of_its_own() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, TenureError)
    ]
    codes = {kind.__name__: kind.exit_code for kind in kinds}
    assert codes == {
        "TenureError": 1,
        "ConfigError": 2,
        "DataError": 3,
        "ModelError": 4,
        "RefusedError": 5,
    }


@pytest.mark.parametrize(
    ("word", "said"), [("horizn", "did you mean `horizon`?"), ("x", "known: gap, horizon")]
)
def test_a_suggestion_is_the_nearest_name_or_all(word: str, said: str) -> None:
    assert suggestion(word, {"horizon", "gap"}) == said


class OfDriverError(Exception):
    """An error with that of a driver behind it."""

    def __init__(self, orig: Exception) -> None:
        super().__init__("(driver) it says\nSELECT 1")
        self.orig = orig


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n  late \n"), "late"),
        (ValueError("x" * 300), "x" * 200),
        (MemoryError(), "MemoryError"),
        (ValueError(" \n"), "ValueError"),
        (OfDriverError(ValueError("cannot connect\nhint")), "cannot connect"),
        (OfDriverError(TimeoutError()), "TimeoutError"),
    ],
)
def test_the_first_line_of_an_error_is_never_nothing(error: Exception, line: str) -> None:
    assert first_line(error) == line
