"""Servers as processes of their own, on the loopback address."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

TENURE = Path(sys.executable).with_name("tenure")
PATIENCE = 240.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    port: int
    process: subprocess.Popen[str]


@contextlib.contextmanager
def running(
    command: list[str], port: int, folder: Path, env: Mapping[str, str]
) -> Iterator[Server]:
    """Run a server until the block ends; it is ready when the block starts."""
    log = folder / "server.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **env}, stdout=sink, stderr=sink, text=True
        )
    server = Server(f"http://127.0.0.1:{port}", port, process)
    try:
        until = time.monotonic() + PATIENCE
        while not ready(server.url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def ready(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    return False


def workers(parent: int) -> list[int]:
    """Return the ids of the processes that answer."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return [int(pid) for pid, command in commands.items() if "spawn_main" in command]
