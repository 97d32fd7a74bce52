"""What ``make screenshots`` runs: pictures of every page, light and dark, wide and narrow.

Starts a demo of its own, lets it sync, and walks through the pages from the navigation: each
entry, its *Add* page, the first thing it lists, and the form that edits it. Complains about what
a picture hides: errors on the console, and pages that are wider than their window.
"""

import itertools
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright

from tools.demo import ROOT, Demo, StoppedError, running, stop_on_signals
from tools.localservices import free_port
from tools.processes import StartError

FOLDER = ROOT / "docs" / "screenshots"
WIDTHS = (1280, 400)
THEMES = ("light", "dark")
# Pages that no list leads to directly; the demo's rows have these numbers.
DEEPER = {
    "failure": "/failures/1/",
    "run": "/history/1/",
    "repair": "/mappings/1/?fix=1",
    "help-scopes": "/help/hubspot-scopes/",
    "record-choice": "/records/?q=Gita",
    "record-synced": "/records/?q=1022",
    "record-refused": "/records/?q=Dee",
    "preview": "/flows/2/preview/",
    "reconcile": "/reconcile/1/",
}
INACTIVE = {
    "pair": "/pairs/1/",
    "activation": "/integrations/1/activate/",
    "integration-form": "/integrations/1/edit/",
    "pair-remote": "/pairs/2/counterpart/",
    "mapping-editor": "/mappings/2/",
    "mapping-carried": "/mappings/2/carried/",
    "system-form": "/systems/1/edit/",
}
LOOKS = 60  # a second apart: time for the demo's first runs


@dataclass(slots=True)
class Album:
    """Takes pictures of pages at one width in one theme, and collects complaints."""

    page: Page
    width: int
    theme: str
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note what the browser complains about."""

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and "404" not in message.text:
                self.complaints.append(f"{self.page.url}: {message.text}")

        self.page.on("console", note)

    def take(self, name: str, url: str) -> None:
        """Take a picture of a page, as high as it is."""
        self.page.set_viewport_size({"width": self.width, "height": 800})
        self.page.goto(url)
        needs = "document.documentElement.scrollWidth"
        if int(self.page.evaluate(needs)) > self.width:
            self.complaints.append(f"{url} is wider than {self.width} px")
        height = int(self.page.evaluate("document.documentElement.scrollHeight"))
        self.page.set_viewport_size({"width": self.width, "height": max(height, 800)})
        self.page.screenshot(path=FOLDER / f"{name}-{self.width}-{self.theme}.png")


def main() -> int:
    """Run a demo, walk through it in each width and theme, and say what looked wrong."""
    stop_on_signals()
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="hubconnect-shots-") as home:
            demo = Demo(Path(home), free_port(), free_port(), "mira", "screenshots")
            with running(demo), sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=os.environ.get("BROWSER_BIN"), args=["--disable-dev-shm-usage"]
                )
                complaints = list(walk(browser, demo))
    except (StartError, StoppedError) as error:
        print(error, file=sys.stderr)
        return 1
    print(*complaints, f"Pictures are in {FOLDER.relative_to(ROOT)}.", sep="\n")
    return 1 if complaints else 0


def walk(browser: Browser, demo: Demo) -> Iterator[str]:
    """Take all pictures; give the complaints."""
    for number, (width, theme) in enumerate(itertools.product(WIDTHS, THEMES)):
        context = browser.new_context(
            color_scheme="dark" if theme == "dark" else "light",
            timezone_id="Europe/Berlin",
            locale="en-GB",
        )
        album = Album(context.new_page(), width, theme)
        album.listen()
        album.take("sign-in", f"{demo.url}/sign-in/")
        sign_in(album.page, demo)
        if number == 0:
            make_a_failure(demo)
            wait_for_failure(album.page, demo)
            compare(album.page, demo)
        for name, url in pages(album.page, demo):
            album.take(name, url)
        album.take("not-found", f"{demo.url}/no/such/page/")
        context.close()
        yield from album.complaints


def sign_in(page: Page, demo: Demo) -> None:
    """Sign in as the demo's Admin."""
    page.get_by_label("User name").fill(demo.user)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def pages(page: Page, demo: Demo) -> Iterator[tuple[str, str]]:
    """Find the pages behind the navigation: each entry, its Add page, the first thing listed."""
    page.goto(f"{demo.url}/profile/")
    entries = addresses(page.locator("#nav a[href^='/']"))
    for label, url in entries:
        name = label.lower().replace(" ", "-")
        yield name, demo.url + url
        page.goto(demo.url + url)
        for suffix, selector in (("add", ".actions a.btn-primary"), ("one", "main .table a.name")):
            for _, found in addresses(page.locator(selector))[:1]:
                if found not in {other for _, other in entries}:
                    yield f"{name}-{suffix}", demo.url + found
                    for _, edit in addresses(page.locator(".actions a:has-text('Edit')"))[:1]:
                        yield f"{name}-edit", demo.url + edit
                    page.goto(demo.url + url)
    yield "profile", f"{demo.url}/profile/"
    for name, path in DEEPER.items():
        yield name, demo.url + path
    # Last: an inactive integration shows its forms as they are filled in.
    page.goto(f"{demo.url}/integrations/1/")
    page.get_by_role("button", name="Deactivate").click()
    page.wait_for_load_state()
    for name, path in INACTIVE.items():
        yield name, demo.url + path
    page.goto(f"{demo.url}/integrations/1/activate/")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()


def wait_for_failure(page: Page, demo: Demo) -> None:
    """Wait until the first loads are over and HubSpot has refused that customer."""
    for _ in range(LOOKS):
        answer = page.goto(f"{demo.url}/failures/1/")
        if answer is not None and answer.ok:
            return
        page.wait_for_timeout(1000)
    msg = "The demo's first runs have shown no failure."
    raise StartError(msg)


def compare(page: Page, demo: Demo) -> None:
    """Have both sides of the first pair compared, and wait until that is done."""
    page.goto(f"{demo.url}/pairs/1/reconcile/")
    page.get_by_role("button", name="Compare now").click()
    page.get_by_text("Compared", exact=True).wait_for()


def make_a_failure(demo: Demo) -> None:
    """Add a customer that HubSpot will refuse."""
    with closing(sqlite3.connect(demo.order_desk, timeout=20)) as desk, desk:
        desk.execute("insert into customers (email, first_name) values ('no address', 'Dee')")


def addresses(links: Locator) -> list[tuple[str, str]]:
    """Give the words and addresses of links, without counts beside the words."""
    read = "links => links.map(a => [a.childNodes[1]?.textContent ?? '', a.getAttribute('href')])"
    return [(str(label), str(url)) for label, url in links.evaluate_all(read)]


if __name__ == "__main__":
    sys.exit(main())
