"""`tenure serve`: the service under uvicorn, in this process or several, until interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem
from tenure.service.api.hosts import check_exposure
from tenure.service.api.logs import log_as_json

KEEP_ALIVE_SECONDS = 30
GRACE_SECONDS = 10
ANSWER_SECONDS = 60
MOST_CONNECTIONS = 2_000
BACKLOG = 2_048


def serve_forever(
    config_path: Path, config: Config, port: int | None, workers: int | None = None
) -> None:
    """Serve a config until SIGINT or SIGTERM; requests under way are finished first.

    Further processes and BentoML's own tools read the file; port and workers (processes) are the
    config's by default.

    Raises:
        ConfigError: If the address cannot be listened on, or others reach it and there is no key.
        ModelError: If no target has a champion that can be read.
    """
    check_exposure(config)
    listening = listen(config.service.host, port or config.service.port)
    with listening:
        prepare(config_path, config)
        url, processes = address(listening), workers or config.service.workers
        say(f"{url} is starting {config.name} …")
        if processes == 1:
            _serve_alone(config, listening, url)
        else:
            _serve_together(config, listening, url, processes)
    say("stopped")


def _serve_alone(config: Config, listening: socket.socket, url: str) -> None:
    import uvicorn

    from tenure.service.api.app import served

    class Server(uvicorn.Server):
        """Says when it is ready."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Start to listen."""
            await super().startup(sockets)
            if self.started:
                say(greeting(url))

    server = Server(uvicorn.Config(served(config), **_SETTINGS))
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server stops on these by itself, then raises them again for this handler.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])


def _serve_together(config: Config, listening: socket.socket, url: str, processes: int) -> None:
    """Run several processes on one socket; one that dies is replaced."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from tenure.service.api.champions import Champions
    from tenure.service.api.metrics import SHARED

    Champions(config)  # what no process could serve is said once, and here
    counts = tempfile.mkdtemp(prefix="tenure-metrics-")
    os.environ[SHARED] = counts
    try:
        settings = uvicorn.Config(
            "tenure.service.app:asgi", factory=True, workers=processes, **_SETTINGS
        )
        say(f"{processes} processes begin")
        threading.Thread(target=announce, args=(listening, url), daemon=True).start()
        Multiprocess(settings, [listening]).run()
    finally:
        del os.environ[SHARED]
        shutil.rmtree(counts, ignore_errors=True)


_SETTINGS: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,  # who is there is seen by the true peer
    "lifespan": "on",
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    "timeout_graceful_shutdown": GRACE_SECONDS,
    "limit_concurrency": MOST_CONNECTIONS,
}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address, so that nothing is loaded in vain.

    Raises:
        ConfigError: If that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        fix = f"choose another port, e.g. --port {port % 65535 + 1}, or stop what uses it"
        reason = error.strerror or str(error)
        raise ConfigError(
            Problem("service", f"cannot listen on {host}:{port}", reason, fix)
        ) from None


def prepare(config_path: Path, config: Config) -> None:
    """Set what BentoML and further processes read from the environment, and send logs to stderr."""
    home = Path(config.paths.runs).resolve() / "bentoml"
    os.environ["TENURE_CONFIG"] = str(config_path)
    os.environ.setdefault("BENTOML_HOME", str(home))
    log_as_json()


def address(listening: socket.socket) -> str:
    """Return the URL of a listening socket.

    >>> with socket.create_server(("127.0.0.1", 0)) as listening:
    ...     address(listening).rpartition(":")[0]
    'http://127.0.0.1'
    """
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def greeting(url: str) -> str:
    """Return where the service is, and a first request to copy."""
    return (
        f"{url} is ready: pages at {url}/app/, endpoints described at {url}/v1/openapi.json\n"
        f"  curl '{url}/v1/accounts?limit=3'"
    )


def announce(listening: socket.socket, url: str) -> None:
    """Say where the service is once one of its processes answers."""
    while listening.fileno() >= 0:
        connection = HTTPConnection(url.removeprefix("http://"), timeout=ANSWER_SECONDS)
        with suppress(OSError, HTTPException), closing(connection):
            connection.request("GET", "/livez")
            if connection.getresponse().status == 200:
                say(greeting(url))
                return
        time.sleep(0.1)


def say(line: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
