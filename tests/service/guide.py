"""The examples of the guide to the service, and the endpoints that they call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from tenure.service.api.endpoints import ENDPOINTS

GUIDE = Path(__file__).parents[2] / "docs" / "service.md"
ACCOUNT = "acc-00004"
ADDRESS = "http://127.0.0.1:3000"
DOCUMENT = "GET /v1/openapi.json"
ROUTES = {f"{item.method} {item.path}": item for item in ENDPOINTS if not item.successor}


def blocks(language: str) -> list[str]:
    """Return the blocks of code in a language; the shell's has no name."""
    texts: list[str] = []
    within = None
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            within = None if within is not None else line[3:]
            texts += [""] if within == language else []
        elif within == language:
            texts[-1] += f"{line}\n"
    return texts


def curls() -> list[str]:
    """Return the commands that call the service, each as a line or as several."""
    commands: list[str] = []
    for block in blocks(""):
        if block.startswith("curl "):
            commands += re.split(r"\n(?=curl )", block.strip())
    return commands


def routes(requests: Iterable[tuple[str, str]]) -> set[str]:
    """Return the endpoints of `/v1` that requests, methods with URLs, are answered by."""
    patterns = {route: re.sub(r"\{.*?\}", "[^/]+", route) for route in (*ROUTES, DOCUMENT)}
    texts = [f"{method} {urlsplit(url).path}" for method, url in requests]
    return {
        route
        for route, pattern in patterns.items()
        if any(re.fullmatch(pattern, text) for text in texts)
    }
