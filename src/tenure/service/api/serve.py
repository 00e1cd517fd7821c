"""`tenure serve`: BentoML's application under uvicorn, in this process, until it is interrupted."""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem
from tenure.service.api.hosts import exposure

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tenure.core.config import Config

KEEP_ALIVE_SECONDS = 30
GRACE_SECONDS = 10


def serve_forever(config_path: Path, config: Config, port: int | None) -> None:
    """Serve a config, whose file BentoML's own tools want to know, until SIGINT or SIGTERM.

    Raises:
        ConfigError: If the address cannot be listened on.
        ModelError: If there is no champion, or one is damaged.
        DataError: If the tables cannot be loaded.
    """
    listening = listen(config.service.host, port or config.service.port)
    with listening:
        prepare(config_path, config)
        import uvicorn

        from tenure.service.api.app import make_service
        from tenure.service.api.state import State

        state = State(config)
        server = uvicorn.Server(
            uvicorn.Config(
                make_service(config, state).to_asgi(),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="on",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        url = address(listening)
        say(f"{url} is loading {config.name} …")

        def loaded(future: Future[None]) -> None:
            if future.cancelled() or future.exception():
                server.should_exit = True
            else:
                say(greeting(url, state.example, exposure(config.service.host)))

        state.start().add_done_callback(loaded)
        for number in (signal.SIGINT, signal.SIGTERM):
            # The server stops on these by itself, then raises them again for this handler.
            signal.signal(number, lambda *_: None)
        server.run(sockets=[listening])
        if state.failure is not None:
            raise state.failure
    say("stopped")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address, so that nothing is loaded in vain.

    Raises:
        ConfigError: If that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        fix = f"choose another port, e.g. --port {port % 65535 + 1}, or stop what uses it"
        reason = error.strerror or str(error)
        raise ConfigError(
            Problem("service", f"cannot listen on {host}:{port}", reason, fix)
        ) from None


def prepare(config_path: Path, config: Config) -> None:
    """Set what BentoML reads from the environment, and send logs to stderr."""
    home = Path(config.paths.runs).resolve() / "bentoml"
    os.environ["TENURE_CONFIG"] = str(config_path)
    os.environ.setdefault("BENTOML_HOME", str(home))
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("tenure").setLevel(logging.INFO)


def address(listening: socket.socket) -> str:
    """Return the URL of a listening socket.

    >>> with socket.create_server(("127.0.0.1", 0)) as listening:
    ...     address(listening).rpartition(":")[0]
    'http://127.0.0.1'
    """
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def greeting(url: str, account: str, warning: str = "") -> str:
    """Return where the service is, a first request to copy, and a warning where there is one."""
    body = shlex.quote(json.dumps({"account_ids": [account]}))
    lines = [
        f"{url} is ready; its endpoints are described at {url}/ and {url}/docs.json",
        f"  curl {url}/score -H 'Content-Type: application/json' -d {body}",
    ]
    return "\n".join([*lines, warning] if warning else lines)


def say(line: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
