"""`tenure review`: the pages for one analyst on this machine, and a browser that shows them."""

from __future__ import annotations

import threading
import webbrowser

from tenure.core.config import Config
from tenure.score.store.keys import KeyStore
from tenure.service.access import Access, service_secret
from tenure.service.api.serve import address, listen, say
from tenure.service.pages.app import make_pages
from tenure.service.pages.state import PageState

LOOPBACK = "127.0.0.1"


def review_forever(config: Config, port: int | None, *, browser: bool = True) -> None:
    """Serve the pages of a config on this machine alone, until SIGINT or SIGTERM.

    The port is that of the service by default; a `browser` is opened where wanted.

    Raises:
        ConfigError: If the port cannot be listened on, or the store cannot be used.
    """
    import uvicorn

    with listen(LOOPBACK, port or config.service.port) as listening:
        state = PageState(config)
        keys = KeyStore(state.store.engine)
        settings = config.service.model_copy(update={"require_keys": False, "proxy": None})
        access = Access(settings, lambda: keys, service_secret(config.paths.runs))
        url = f"{address(listening)}/app/"
        say(f"{url} shows {config.name}; stop it with Ctrl+C")
        if browser:
            # The socket listens already: the browser waits for the first answer.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server = uvicorn.Server(
            uvicorn.Config(
                make_pages(state, access), log_config=None, access_log=False, server_header=False
            )
        )
        try:
            server.run(sockets=[listening])
        finally:
            access.close()
            state.close()
    say("stopped")
