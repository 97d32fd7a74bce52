"""Looks at a page as a demanding visitor: on a phone, in the dark, with a screen reader.

With ``SHOTS`` in the environment, a folder, pictures of what was looked at are put there.
"""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

NARROW, WIDE = 400, 1280
_WIDTH = "document.documentElement.scrollWidth"
_HEIGHT = "document.documentElement.scrollHeight"
_axe = Axe()


def look(page: Page, name: str) -> None:
    """Fail unless a page fits a narrow window and axe finds nothing in light and dark."""
    before = page.viewport_size
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for width in (NARROW, WIDE):
            page.set_viewport_size({"width": width, "height": 800})
            _picture(page, f"{name}-{width}-{theme}")
            page.set_viewport_size({"width": width, "height": 800})
            if (taken := int(page.evaluate(_WIDTH))) > width:
                found.append(f"{name} takes {taken} px of {width}")
            found += [f"{name}, {theme}, {width}: {one}" for one in _violations(page)]
    page.emulate_media(color_scheme="light")
    if before is not None:
        page.set_viewport_size(before)
    assert not found, "\n".join(found)


def settle(page: Page) -> None:
    """Wait until what htmx fetched is in its place and listens."""
    under_way = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
    expect(page.locator(under_way)).to_have_count(0)


def _violations(page: Page) -> list[str]:
    """Return what axe finds, each with where."""
    found = _axe.run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for one in found
        for node in one["nodes"]
    ]


def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder is None:
        return
    size = page.viewport_size
    if size is not None:
        page.set_viewport_size({**size, "height": max(int(page.evaluate(_HEIGHT)), 800)})
    page.screenshot(path=Path(folder, f"{name}.png"))
