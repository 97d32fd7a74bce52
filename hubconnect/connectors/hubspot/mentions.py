"""Mentions of users in the bodies of notes, emails, calls, meetings and tasks.

HubSpot documents no markup. This is what its editor writes, as seen in public code: an element
with the owner's id, beside a property that lists the owners.
"""

from collections.abc import Callable, Collection

from hubconnect.connectors import rich_text
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.html_tree import Element, Node
from hubconnect.connectors.hubspot.values import SEPARATOR, Owners

# Any element with one of these is read as a mention.
OWNER_IDS = ("data-mention-id", "data-owner-id")
NAME = "data-mention-name"
STYLE = "color: #425b76;font-weight: 600;"
# Owners mentioned in the body, by id.
MENTIONED = "hs_at_mentioned_owner_ids"


class Mentions:
    """Turns bodies of activities into canonical rich text, and back."""

    def __init__(self, owners: Owners) -> None:
        """Keep the owners; they are asked for only when somebody is mentioned."""
        self._owners = owners

    def read(self, text: str) -> str | None:
        """Return a body in canonical form: an unknown owner becomes plain "@Name"."""
        return rich_text.clean_with(text, {*OWNER_IDS, NAME}, self._canonical) or None

    def write(self, text: str) -> str:
        """Return canonical rich text as HubSpot's editor would write it."""
        return rich_text.replace_mentions(rich_text.clean(text), self._marked)

    def mentioned(self, texts: Collection[str]) -> str:
        """Return ids of the owners mentioned in canonical texts, as the property lists them."""
        emails = {email for text in texts for email in rich_text.names(text)}
        ids = {owner_id for email in emails if (owner_id := self._id_of(email))}
        return SEPARATOR.join(sorted(ids))

    def _canonical(self, element: Element) -> list[Node]:
        owner_id = next((element.attributes[n] for n in OWNER_IDS if n in element.attributes), "")
        if not owner_id:
            return [element]
        name = element.attributes.get(NAME) or " ".join(element.text.split()).removeprefix("@")
        email = self._email_of(owner_id)
        return [rich_text.mention(email, name)] if email else [f"@{name}"]

    def _marked(self, email: str, name: str) -> Node:
        owner_id = self._id_of(email)
        if not owner_id:
            return f"@{name}"
        attributes = {OWNER_IDS[0]: owner_id, NAME: name, "style": STYLE}
        return Element("strong", {}, [Element("span", attributes, [f"@{name}"])])

    def _email_of(self, owner_id: str) -> str:
        email = ask_owners(self._owners.email_of, owner_id)
        return email if "@" in email else ""

    def _id_of(self, email: str) -> str:
        return ask_owners(self._owners.id_of, email)


def ask_owners(question: Callable[[str], str], text: str) -> str:
    """Return what the owners answer; "" without the scope for them: then nobody is known."""
    try:
        return question(text)
    except AttentionError as error:
        if error.category is not Category.PERMISSION:
            raise
        return ""
