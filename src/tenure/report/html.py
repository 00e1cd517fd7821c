"""The model report: one HTML file that opens anywhere, without a network and without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenure.report.view import page

TEMPLATE = "report.html.j2"


def render(record: Mapping[str, Any]) -> str:
    """Return the report of a training run.

    Args:
        record: The training record (JSON values).  Parts that it lacks are left out.

    Returns:
        A whole HTML page; every text of the record is escaped.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tenure.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(page=page(record))
