"""HTML as a small tree, once nh3 has made it well-formed."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

VOID = frozenset({"br", "hr", "img"})
# Tags below this depth are left out, their text is not: nobody writes such a text by hand.
MAX_DEPTH = 60


@dataclass(slots=True)
class Element:
    """A tag with what is in it; the root's tag is ""."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return all text in it."""
        return "".join(one if isinstance(one, str) else one.text for one in self.children)


Node = Element | str
# Returns what stands in place of an element whose children were rewritten before.
Rewrite = Callable[[Element], list[Node]]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = [("", self.root)]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        parent = self._open[-1][1]
        if tag in VOID:
            parent.children.append(made)
        elif len(self._open) > MAX_DEPTH:
            self._open.append((tag, parent))
        else:
            parent.children.append(made)
            self._open.append((tag, made))

    @override
    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in reversed(self._open)):
            while self._open.pop()[0] != tag:
                pass

    @override
    def handle_data(self, data: str) -> None:
        self._open[-1][1].children.append(data)


def parse(text: str) -> Element:
    """Return the tree of well-formed HTML without scripts and styles."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root


def render(node: Node) -> str:
    """Return the HTML of a tree."""
    if isinstance(node, str):
        return html.escape(node, quote=False)
    inner = "".join(map(render, node.children))
    if not node.tag:
        return inner
    attributes = "".join(
        f' {name}="{html.escape(value)}"' for name, value in sorted(node.attributes.items())
    )
    start = f"<{node.tag}{attributes}>"
    return start if node.tag in VOID else f"{start}{inner}</{node.tag}>"


def rewrite(element: Element, change: Rewrite) -> Element:
    """Return the tree with every element below the root changed, inner ones first."""
    children: list[Node] = []
    for one in element.children:
        children += [one] if isinstance(one, str) else change(rewrite(one, change))
    return Element(element.tag, element.attributes, join_texts(children))


def join_texts(nodes: list[Node]) -> list[Node]:
    """Return the nodes with texts that stand side by side made one, and empty ones left out."""
    joined: list[Node] = []
    for one in nodes:
        last = joined[-1] if joined else None
        if isinstance(one, str) and isinstance(last, str):
            joined[-1] = last + one
        elif one != "":
            joined.append(one)
    return joined
