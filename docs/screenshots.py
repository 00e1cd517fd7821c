"""Take the pictures of the pages in `docs/images`, of a folder in which `tenure demo` ran.

Run: ``python docs/screenshots.py DEMO``; needs playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import threading
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright

from tenure.features.plan.config_checks import load_config
from tenure.score.store.keys import KeyStore
from tenure.service.access import Access
from tenure.service.api.serve import address, listen
from tenure.service.pages.app import make_pages
from tenure.service.pages.state import PageState

IMAGES = Path(__file__).parent.resolve() / "images"
VIEWS = {
    "book": ("/app/", 1100),
    "account": ("/app/account?id={}", 1500),
    "lately": ("/app/lately?id={}", 1300),
    "worklist": ("/app/worklist", 900),
    "drivers": ("/app/drivers", 1700),
    "metrics": ("/app/metrics", 900),
    "forecast": ("/app/forecast", 1600),
    "model": ("/app/model", 1300),
    "data": ("/app/data", 1000),
    "book-narrow": ("/app/", 1100),
    "account-dark": ("/app/account?id={}", 1100),
}
"""Name of the picture → link, and height in pixels."""
FETCHED = ("#changes table", "#lately ol.timeline")
"""Parts of an account's page that are fetched once it stands."""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("--only", nargs="*", default=list(VIEWS))
    options = parser.parse_args()
    os.chdir(options.demo)
    state = PageState(load_config("demo/config.yaml"))
    keys = KeyStore(state.store.engine)
    access = Access(state.config.service, lambda: keys, b"screenshots")
    riskiest = state.books.rows(state.store.runs()[-1])[0].account_id
    with listen("127.0.0.1", 0) as listening, sync_playwright() as playwright:
        settings = uvicorn.Config(make_pages(state, access), log_level="error", lifespan="off")
        server = uvicorn.Server(settings)
        threading.Thread(target=server.run, kwargs={"sockets": [listening]}).start()
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name in options.only:
            link, height = VIEWS[name]
            page = browser.new_page(
                viewport={"width": 700 if "narrow" in name else 1300, "height": height},
                color_scheme="dark" if "dark" in name else "light",
            )
            page.set_default_timeout(120_000)
            page.goto(address(listening) + link.format(riskiest))
            page.wait_for_load_state("networkidle")
            for part in FETCHED if "account" in name else ():
                page.wait_for_selector(part)
            page.screenshot(path=IMAGES / f"pages-{name}.png")
            page.close()
        browser.close()
        server.should_exit = True
    access.close()
    state.close()


if __name__ == "__main__":
    main()
