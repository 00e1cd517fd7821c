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
    """One request to an endpoint.

    Attributes:
        state: What the process holds.
        caller: Who makes it.
        endpoint: Method and path of the endpoint.
        path: Values in the path.
        headers: Headers by name, in lower case.
        request_id: As the answer and the log have it.
        accounts: Accounts that it names, for the audit log; the answer writes them down.
    """

    state: State
    caller: Caller
    endpoint: str
    path: Mapping[str, str]
    headers: Mapping[str, str]
    request_id: str = ""
    accounts: list[str] = field(default_factory=list)
