"""Rich text between systems: the one list of what is kept, plain text of it, and mentions.

Canonical rich text is HTML that ``clean`` leaves as it is. A mention of a user in it::

    <span data-mention="rae.poe@example.com">@Rae Poe</span>
"""

import html
import re
from collections.abc import Callable

import nh3

from hubconnect.connectors.html_tree import Element, Node, join_texts, parse, render, rewrite
from hubconnect.connectors.plain_text import PlainText

MENTION = "data-mention"

LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:")
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "span": {MENTION},
}
TAGS = {
    *ATTRIBUTES,
    *("p", "div", "br", "hr", "blockquote", "pre", "code", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("b", "strong", "i", "em", "u", "s", "sub", "sup"),
    *("ul", "ol", "li"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr"),
}
# What has a meaning without any text in it.
VISIBLE = {"img", "hr"}
EMPHASIS = {"b", "strong", "i", "em", "u"}
# A few rounds make stable what a browser would take apart anew each time; more is no text.
MAX_ROUNDS = 8
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SPACES = re.compile(r"\s+")
# Spaces that HTML would not show: at either end of a line, and behind another one.
HIDDEN_SPACES = re.compile(r"^ | (?= )| $", re.MULTILINE)
HARD_SPACE = "\xa0"


def clean(text: str) -> str:
    """Return HTML with nothing in it but what every system may show; "" when nothing shows.

    Cleaning a second time changes nothing.
    """
    for _ in range(MAX_ROUNDS):
        cleaned = _clean_once(text)
        if cleaned == text:
            return text
        text = cleaned
    return _clean_once(from_plain(to_plain(text)))


def clean_with(text: str, attributes: set[str], change: Callable[[Element], list[Node]]) -> str:
    """Return clean HTML made from a system's own.

    Args:
        text: HTML of that system.
        attributes: those of any tag that ``change`` wants to see.
        change: returns what stands for an element, whose children were changed before.
    """
    return clean(render(rewrite(_parse(text, attributes), change)))


def to_plain(text: str) -> str:
    """Return rich text as readable plain text: lists, links as ``text (url)``, tables by line."""
    return PlainText().of(_parse(text))


def from_plain(text: str) -> str:
    """Return plain text as rich text that shows the same."""
    shown = HIDDEN_SPACES.sub(HARD_SPACE, html.escape(legible(text), quote=False))
    return shown.replace("\n", "<br>")


def normalise(text: str) -> str:
    """Return what two texts share that say the same, however a system dresses them."""
    return SPACES.sub(" ", to_plain(text)).strip()


def names(text: str) -> dict[str, str]:
    """Return the mentioned users: their names as written, by e-mail."""
    found: dict[str, str] = {}

    def note(element: Element) -> list[Node]:
        if element.attributes.get(MENTION):
            found.setdefault(element.attributes[MENTION], element.text.removeprefix("@"))
        return [element]

    rewrite(parse(text), note)
    return found


def replace_mentions(text: str, change: Callable[[str, str], Node]) -> str:
    """Return clean HTML with each mention replaced.

    Args:
        text: clean HTML.
        change: returns what stands for a mention, from its e-mail and name.
    """

    def one(element: Element) -> list[Node]:
        email = element.attributes.get(MENTION)
        return [change(email, element.text.removeprefix("@"))] if email else [element]

    return render(rewrite(parse(text), one))


def strip_mentions(text: str) -> str:
    """Return clean HTML with each mention as the plain text "@Name"."""
    return replace_mentions(text, lambda _, name: f"@{name}")


def mention(email: str, name: str) -> Element:
    """Return a mention of a user."""
    return Element("span", {MENTION: email.strip().casefold()}, [f"@{name.strip() or email}"])


def _clean_once(text: str) -> str:
    tree = _unwrapped(rewrite(_parse(text), _tidy))
    return render(tree) if _shows(tree) else ""


def _parse(text: str, attributes: set[str] | None = None) -> Element:
    """Return the tree of what is kept of a text, with these attributes of any tag besides."""
    allowed = {**ATTRIBUTES, "*": attributes} if attributes else ATTRIBUTES
    return parse(nh3.clean(legible(text), tags=TAGS, attributes=allowed, link_rel=None))


def legible(text: str) -> str:
    """Return a text without what is no character, its lines ending alike."""
    sound = text.encode("utf-8", "ignore").decode()
    return CONTROL.sub("", sound.replace("\r\n", "\n").replace("\r", "\n"))


def _tidy(element: Element) -> list[Node]:
    if element.tag == "span":
        return _tidy_span(element)
    if element.tag == "img":
        return [element] if _leads(element, "src", ("https://",)) else []
    if element.tag == "a" and not _leads(element, "href", LINK_SCHEMES):
        return list(element.children)
    if element.tag in EMPHASIS and _is_lone_mention(element):
        return list(element.children)
    if element.tag == "pre" and element.children and isinstance(element.children[0], str):
        # The first line feed in it is none, and so it would vanish one by one.
        element.children[0] = element.children[0].lstrip("\n")
    return [element]


def _tidy_span(element: Element) -> list[Node]:
    email, name = element.attributes.get(MENTION, ""), " ".join(element.text.split())
    return [mention(email, name.removeprefix("@"))] if "@" in email else list(element.children)


def _leads(element: Element, attribute: str, schemes: tuple[str, ...]) -> bool:
    return element.attributes.get(attribute, "").strip().lower().startswith(schemes)


def _is_lone_mention(element: Element) -> bool:
    (*others,) = (one for one in element.children if not isinstance(one, str) or one.strip())
    return len(others) == 1 and isinstance(others[0], Element) and MENTION in others[0].attributes


def _unwrapped(root: Element) -> Element:
    """Return the root without the one division that some editors put round everything."""
    inner = [one for one in root.children if not isinstance(one, str) or one.strip()]
    while len(inner) == 1 and isinstance(inner[0], Element) and inner[0].tag == "div":
        root = Element("", {}, join_texts(list(inner[0].children)))
        inner = [one for one in root.children if not isinstance(one, str) or one.strip()]
    return root


def _shows(element: Element) -> bool:
    return any(
        bool(one.strip()) if isinstance(one, str) else one.tag in VISIBLE or _shows(one)
        for one in element.children
    )
