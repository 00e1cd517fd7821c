"""Passwords: they come from the environment, and no message or record repeats them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tenure.core.authored import VARIABLE
from tenure.core.errors import Problem

_NAME = r"[\w.-]*(?:passw|pwd|secret|token|api_?key|private_key|credential|sas_|access_key)[\w.-]*"
_USER = re.compile(r"(://[^:/@?\s]*:)[^@\s]+@")
_SETTING = re.compile(rf"(?i)([?&;]{_NAME}=)([^&;\s]+)")
HIDDEN = "***"


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text in which passwords are hidden: those in URLs, and some that are known.

    >>> masked("cannot reach postgresql://ada:pw@host/db?token=x for pw", ["pw"])
    'cannot reach postgresql://ada:***@host/db?token=*** for ***'
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _SETTING.sub(rf"\g<1>{HIDDEN}", _USER.sub(rf"\g<1>{HIDDEN}@", text))


def passwords(url: str) -> list[str]:
    """Return the passwords that a URL holds.

    >>> passwords("postgresql://ada:pw@host/db?sslpassword=x")
    ['pw', 'x']
    """
    user = re.search(r"://[^:/@?]*:([^@]+)@", url)
    return [*([user[1]] if user else []), *(match[2] for match in _SETTING.finditer(url))]


def written_out(connections: Any) -> Iterator[Problem]:
    """Yield a problem for each password of a connection that does not come from the environment.

    Args:
        connections: The section as it was written, its variables not yet replaced.
    """
    for name, settings in connections.items() if isinstance(connections, Mapping) else ():
        url = settings.get("url") if isinstance(settings, Mapping) else settings
        options = settings.get("options") if isinstance(settings, Mapping) else None
        values = [("url", password) for password in passwords(str(url or ""))]
        if isinstance(options, Mapping):
            values += [
                (f"options.{key}", str(value))
                for key, value in options.items()
                if re.fullmatch(f"(?i){_NAME}", str(key))
            ]
        for key, value in values:
            if not VARIABLE.search(value):
                variable = f"{re.sub('[^A-Z0-9]', '_', str(name).upper())}_PASSWORD"
                rule = "must not hold a password"
                fix = f"`export {variable}=…` and write `${{{variable}}}` in its place"
                yield Problem(f"connections.{name}.{key}", rule, fix=fix)
