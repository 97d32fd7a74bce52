"""A small browser for tests: reads the form on a page, fills it in, presses a button."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from typing_extensions import override


@dataclass
class PageForm:
    """One form of a page: where it is sent, and what it holds unless somebody types."""

    action: str
    values: dict[str, Any] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._select = ""
        self._area = ""
        self._disabled = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(given.get("action", "")))
        if tag == "fieldset":
            self._disabled += 1 if self._disabled or "disabled" in given else 0
        if self.forms and not self._disabled and "disabled" not in given:
            self._take(tag, given)

    def _take(self, tag: str, given: dict[str, str]) -> None:
        values, name = self.forms[-1].values, given.get("name", "")
        if tag == "input" and name:
            self._take_input(given)
        elif tag == "textarea":
            self._area = name
            values[name] = ""
        elif tag == "select":
            self._select = name
        elif (
            tag == "option" and self._select and ("selected" in given or self._select not in values)
        ):
            values[self._select] = given.get("value", "")

    def _take_input(self, given: dict[str, str]) -> None:
        kind, values = given.get("type", "text"), self.forms[-1].values
        if kind == "checkbox" and "checked" in given and given["name"] in values:
            known = values[given["name"]]
            boxes = known if isinstance(known, list) else [known]
            values[given["name"]] = [*boxes, given.get("value", "on")]
        elif kind in {"checkbox", "radio"}:
            if "checked" in given:
                values[given["name"]] = given.get("value", "on")
        elif kind not in {"submit", "button"}:
            values[given["name"]] = given.get("value", "")

    @override
    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].values[self._area] += data.removeprefix("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset" and self._disabled:
            self._disabled -= 1
        if tag == "textarea":
            self._area = ""
        if tag == "select":
            self._select = ""


def main_form(page: str) -> PageForm:
    """Return the form with most fields, of several the last: the frame's own come first."""
    reader = _Reader()
    reader.feed(page)
    return max(reversed(reader.forms), key=lambda form: len(form.values))


def submit(client: Client, url: str, **typed: Any) -> Any:  # noqa: ANN401 - a response with context
    """Open a page, type into its form, send it, and follow where it leads."""
    page = client.get(url)
    assert page.status_code == 200, f"{url}: {page.status_code}"
    form = main_form(page.content.decode())
    return client.post(form.action or url, {**form.values, **typed}, follow=True)


def text(response: Any) -> str:  # noqa: ANN401 - a response with context
    """Return a page's source."""
    assert response.status_code == 200
    return str(response.content.decode())
