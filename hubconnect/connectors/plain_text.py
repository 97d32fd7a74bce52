"""Rich text as lines of plain text."""

import re
from collections.abc import Callable
from itertools import groupby

from hubconnect.connectors.html_tree import Element, Node

BLOCKS = frozenset(
    {
        *("p", "div", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("table", "caption", "thead", "tbody", "tfoot"),
    }
)
CELLS = frozenset({"td", "th"})
FOLDED_SPACE = re.compile(r"[ \t\n]{2,}|\n")
HARD_SPACE = "\xa0"
INDENT = "  "
RULE = "---"

Writer = Callable[[Element], None]


def _is_item(node: Node) -> bool:
    return not isinstance(node, str) and node.tag == "li"


class PlainText:
    """Writes one text, line by line.

    A block starts on a line of its own. Items of lists have a dash or a number, cells of a row
    stand side by side, and behind a link's text comes its address.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._lines: list[str] = []
        self._is_open = False  # more text goes to the last line
        self._depth = 0
        self._marker = ""
        self._special: dict[str, Writer] = {
            "br": self._break,
            "hr": lambda _: self._write_line(RULE),
            "pre": self._preformatted,
            "tr": self._row,
            "ul": self._list,
            "ol": self._list,
            "a": self._link,
            "img": self._image,
        }

    def of(self, root: Element) -> str:
        """Return the text of a tree, without white space around it."""
        self._children(root)
        text = "\n".join(line.rstrip(" ") for line in self._lines)
        return text.replace(HARD_SPACE, " ").strip()

    def _children(self, element: Element) -> None:
        for one in element.children:
            self._node(one)

    def _node(self, node: Node) -> None:
        if isinstance(node, str):
            self._write(FOLDED_SPACE.sub(" ", node))
        elif node.tag in self._special:
            self._special[node.tag](node)
        elif node.tag in BLOCKS:
            self._block(node)
        else:
            self._children(node)

    def _write(self, text: str) -> None:
        if not self._is_open or self._lines[-1].endswith(" "):
            text = text.lstrip(" ")
        if not text:
            return
        if not self._is_open:
            self._start_line()
        self._lines[-1] += text

    def _start_line(self) -> None:
        indent = INDENT * (self._depth - 1 if self._marker else self._depth)
        self._lines.append(indent + self._marker)
        self._marker = ""
        self._is_open = True

    def _break(self, _: Element) -> None:
        if not self._is_open:
            self._start_line()
        self._is_open = False

    def _write_line(self, text: str) -> None:
        self._is_open = False
        self._start_line()
        self._lines[-1] += text
        self._is_open = False

    def _block(self, element: Element) -> None:
        self._is_open = False
        self._children(element)
        self._is_open = False

    def _list(self, element: Element) -> None:
        self._depth += 1
        number = 0
        for is_item, found in groupby(element.children, _is_item):
            if not is_item:  # what stands between items reads on in one line
                self._block(Element("li", {}, list(found)))
                continue
            for one in found:
                number += 1
                self._marker = f"{number}. " if element.tag == "ol" else "- "
                self._block(Element("li", {}, [one]))
        self._marker = ""
        self._depth -= 1

    def _row(self, row: Element) -> None:
        cells = [one for one in row.children if not isinstance(one, str) and one.tag in CELLS]
        self._write_line(" | ".join(" ".join(PlainText().of(one).split()) for one in cells))

    def _preformatted(self, element: Element) -> None:
        for line in element.text.split("\n"):
            self._write_line(line.replace(" ", HARD_SPACE))

    def _link(self, element: Element) -> None:
        self._children(element)
        url, label = element.attributes.get("href", ""), element.text.strip()
        if url.removeprefix("mailto:") not in {label, f"http://{label}", f"https://{label}"}:
            self._write(f" ({url})" if label else url)

    def _image(self, element: Element) -> None:
        label = element.attributes.get("alt") or "image"
        self._write(f"[{label}] ({element.attributes.get('src', '')})")
