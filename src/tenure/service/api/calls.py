"""One request to an endpoint, as its answer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenure.service.access import Caller
    from tenure.service.api.state import State


@dataclass
class Call:
    """One request to an endpoint."""

    state: State
    caller: Caller
    """Who makes it."""
    endpoint: str
    """Method and path of the endpoint."""
    path: Mapping[str, str]
    """Values in the path."""
    headers: Mapping[str, str]
    """Headers by name, in lower case."""
    request_id: str = ""
    """As the answer and the log have it."""
    accounts: list[str] = field(default_factory=list)
    """Accounts that it names, for the audit log; the answer writes them down."""
