"""Checks that need to know what is loaded; a request's own form is checked in `requests`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tenure.core.errors import Problem, suggestion
from tenure.core.times import show
from tenure.score.score import Model
from tenure.service.api.problems import Refusal
from tenure.service.api.state import Served

EVERY = "all"


def check_count(size: int, served: Served, field: str) -> None:
    """Refuse more accounts or rows than one request may ask for."""
    most = served.config.service.max_accounts
    if size > most:
        fix = "ask in parts, or raise service.max_accounts in the config"
        raise Refusal(Problem(field, f"must not hold more than {most}", str(size), fix))


def check_targets(
    wanted: Sequence[str] | None, models: Mapping[str, Model], field: str = "targets"
) -> list[str]:
    """Return the targets asked for, all of them by default; refuse one without a model."""
    for name in wanted or ():
        if name not in models:
            rule = "is not a target with a model"
            raise Refusal(Problem(field, rule, name, suggestion(name[:100], models)), status=404)
    return list(models) if wanted is None else list(dict.fromkeys(wanted))


def check_horizon(wanted: int | str | None, served: Served) -> int | str:
    """Return the horizon asked for in days, or ``all``; refuse one that no model knows."""
    if wanted == EVERY:
        return EVERY
    known = {name for model in served.models.values() for name in model.horizons}
    days = served.config.labels.horizon_days if wanted is None else int(wanted)
    if str(days) not in known | {str(served.config.labels.horizon_days)}:
        choices = ", ".join(sorted((name for name in known if name.isdigit()), key=int))
        fix = f"one of {choices}, or all"
        raise Refusal(Problem("horizon_days", "is not a horizon of the models", str(days), fix))
    return days


def check_time(as_of: datetime | None, served: Served) -> datetime:
    """Return the prediction time, by default where observation stopped; refuse one outside."""
    first, last = served.loaded.first, served.loaded.dataset.observed_until
    if as_of is not None and not first < as_of <= last:
        rule = f"must be after {show(first)} and not after {show(last)}, where observation stopped"
        raise Refusal(Problem("as_of", rule, show(as_of), "ask for a time inside the data"))
    return as_of or last


def check_accounts(ids: Mapping[str, str], served: Served) -> None:
    """Refuse ids that the accounts table does not have; `ids` is field → id."""
    unknown = {field: name for field, name in ids.items() if name not in served.loaded.accounts}
    if unknown:
        problems = [
            Problem(field, "is not an account of the loaded tables", name, "check the id")
            for field, name in unknown.items()
        ]
        raise Refusal(*problems, status=404)
