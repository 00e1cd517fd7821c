"""Names of LightGBM parameters in a config, checked against those that LightGBM itself lists."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from tenure.core.errors import ConfigError, Problem, suggestion


def check_parameters(names: Iterable[str]) -> None:
    """Check that parameters go by the name that LightGBM gives them.

    Another name for the same parameter is refused too: beside the default it would not count.

    Raises:
        ConfigError: Naming every one that does not, with a suggestion.
    """
    names = list(names)
    known = _aliases() if names else {}
    problems = []
    for name in names:
        if name in known:
            continue
        main = next((main for main, aliases in known.items() if name in aliases), None)
        rule = "is no LightGBM parameter" if main is None else "is another name of a parameter"
        fix = suggestion(name, known) if main is None else f"write `{main}`"
        problems.append(Problem("model.parameters", rule, name, _short(fix)))
    if problems:
        raise ConfigError(*problems)


def _short(fix: str) -> str:
    pages = "see https://lightgbm.readthedocs.io/en/stable/Parameters.html"
    return pages if fix.startswith("known:") else fix


@cache
def _aliases() -> dict[str, list[str]]:
    """Return LightGBM's parameters with all names of each."""
    from lightgbm.basic import _ConfigAliases

    aliases: dict[str, list[str]] = _ConfigAliases._get_all_param_aliases()
    return aliases
