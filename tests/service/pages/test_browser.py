"""An analyst at the pages, in a real browser: by mouse, by keyboard, and everything looked over."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.pages.conftest import PAGES, Serving, Shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
AXE = (Path(__file__).with_name("axe.min.js")).read_text(encoding="utf-8")
"""axe-core 4.14.1 from npm, sha256 29348999…95c; MPL 2.0, in the tests alone and unchanged."""
SERIOUS = {"serious", "critical"}
VIEWS = (*PAGES, "/app/account?id=nobody")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A page that reports errors of scripts, refused content and requests to other hosts."""
    opened = browser.new_page(viewport={"width": 1300, "height": 900})
    opened.set_default_timeout(60_000)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console", lambda line: complaints.append(line.text) if line.type == "error" else None
    )
    opened.on(
        "request", lambda request: complaints.append(request.url) if _foreign(request) else None
    )
    yield opened
    opened.close()
    assert [text for text in complaints if "404" not in text] == []


def _foreign(request: Any) -> bool:
    return not request.url.startswith(("http://127.0.0.1:", "data:"))


def settled(page: Page) -> None:
    """Wait until nothing is fetched any more, before the server or the page goes away."""
    page.wait_for_load_state("networkidle")
    for part in ("#changes", "#lately"):
        if page.locator(part).count():  # its heading is a link until it is fetched
            page.locator(f"{part} > h2:not(:has(a))").wait_for()


def first_column(page: Page) -> list[str]:
    return page.locator("table.book tbody th a").all_inner_texts()


def test_by_mouse(serving: Serving, shown: Shown, page: Page) -> None:
    with serving() as url:
        page.goto(f"{url}/app/")
        assert "Book of" in page.title()
        before = first_column(page)
        page.get_by_role("link", name="MRR", exact=True).click()
        page.wait_for_url("**sort=-mrr**")
        assert page.locator("th[aria-sort=descending]").inner_text().startswith("MRR")
        assert first_column(page) != before
        page.get_by_label("Segment all").select_option("small")
        page.wait_for_url("**segment=small**")
        assert "sort=-mrr" in page.url
        assert set(page.locator("td.of-segment").all_inner_texts()) == {"small"}
        page.goto(f"{url}/app/")
        page.get_by_label("Search").fill(shown.riskiest)
        page.wait_for_url(f"**search={shown.riskiest}**")
        page.get_by_text("1 to 1 of 1 accounts").wait_for()
        page.locator("table.book tbody th a").click()
        page.wait_for_url("**/app/account**")
        page.locator("#lately ol.timeline").wait_for()  # it is fetched without a reload
        driver = page.locator(".drivers").first.locator("li").nth(1)
        driver.locator("summary").click()
        assert "log-odds" in driver.inner_text()
        driver.get_by_role("link", name="Rows behind it").click()
        driver.locator("#rows").wait_for()
        assert "/app/account" in page.url  # it was opened in place
        page.locator("#changes tfoot").first.wait_for()
        assert "Together" in page.locator("#changes").inner_text()
        driver.get_by_label("Remark").fill("known since <b>May</b>")
        driver.get_by_label("Signed").fill("Ada")
        driver.get_by_role("button", name="Already known").click()
        page.wait_for_url("**#said")
        settled(page)
    with serving() as url:  # after a restart
        page.goto(f"{url}/app/account?id={shown.riskiest}")
        driver = page.locator(".drivers").first.locator("li").nth(1)
        assert "already known (Ada)" in driver.inner_text()
        driver.locator("summary").click()
        assert "known since <b>May</b>" in driver.inner_text()
        page.get_by_label("Compared with").select_option("2023-12-01")
        page.wait_for_url("**since=2023-12-01**")
        settled(page)
        page.get_by_role("link", name="Forecast").click()
        page.get_by_label("Split by").select_option("segment")
        page.wait_for_url("**/app/forecast?by=segment")
        page.get_by_role("heading", name="By segment").first.wait_for()
        settled(page)


def test_by_keyboard_alone(serving: Serving, shown: Shown, page: Page) -> None:
    def reach(selector: str, key: str = "Tab") -> None:
        for _ in range(400):
            page.keyboard.press(key)
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    with serving() as url:
        page.goto(f"{url}/app/")
        reach("#search")
        page.keyboard.type(shown.riskiest)
        page.wait_for_url(f"**search={shown.riskiest}**")
        page.get_by_text("1 to 1 of 1 accounts").wait_for()
        reach("#sort-mrr")
        page.keyboard.press("Enter")
        page.wait_for_url("**sort=-mrr**")
        reach("table.book tbody th a")
        page.keyboard.press("Enter")
        page.wait_for_url("**/app/account**")
        reach("#note")
        page.keyboard.type("called on Monday")
        reach("#note-author")
        page.keyboard.press("Control+A")
        page.keyboard.type("Grace")
        page.keyboard.press("Enter")
        page.wait_for_url("**#said")
        assert "called on Monday" in page.locator("#said").inner_text()
        assert "Grace" in page.locator("#said").inner_text()
        settled(page)


@pytest.mark.parametrize("path", VIEWS)
def test_it_is_open_to_everybody_and_fits(
    serving: Serving, shown: Shown, page: Page, path: str
) -> None:
    with serving() as url:
        page.goto(url + path.format(shown.riskiest))
        if path.startswith("/app/account?id={}"):
            page.locator("#lately ol.timeline").wait_for()
        title = page.title()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate(AXE)
            options = {"resultTypes": ["violations"]}
            result = page.evaluate("options => axe.run(document, options)", options)
            bad = {
                item["id"]: [node["html"][:200] for node in item["nodes"][:3]]
                for item in result["violations"]
                if item["impact"] in SERIOUS
            }
            assert bad == {}, (scheme, bad)
        page.set_viewport_size({"width": 700, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        sheet = page.pdf(format="A4")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", sheet)) < 40
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 700, "height": 900})
        widths = "[...document.querySelectorAll('main table')].map(t => t.scrollWidth)"
        assert max(page.evaluate(widths), default=0) <= 720
        assert page.title() == title  # no hostile name has run
        settled(page)
