"""Mentions: HubSpot's markup and the canonical one, there and back."""

from hypothesis import given, strategies as st

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Field, ValueType
from hubconnect.connectors.html_tree import render
from hubconnect.connectors.hubspot.mentions import Mentions
from hubconnect.connectors.hubspot.values import Formatter

OWNERS = {"41001": "rae.poe@example.com", "41002": "bo@example.com"}
STRANGER = "nobody@elsewhere.example"


class TwoOwners:
    """An account with two owners."""

    def email_of(self, owner_id: str) -> str:
        return OWNERS.get(owner_id, owner_id)

    def id_of(self, email: str) -> str:
        return next((one for one, each in OWNERS.items() if each == email), "")


MENTIONS = Mentions(TwoOwners())
NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=9)
MENTION = st.builds(rich_text.mention, st.sampled_from(list(OWNERS.values())), NAMES).map(render)
PIECE = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<i>",
        "<ul><li>",
        "</ul>",
        "<a href='https://x.example'>",
        "<br>",
    ]
)
TEXTS = st.lists(MENTION | PIECE | st.text(max_size=5), max_size=12).map("".join)


@given(TEXTS)
def test_a_text_with_mentions_survives_a_round_trip(text: str) -> None:
    canonical = rich_text.clean(text)

    assert (MENTIONS.read(MENTIONS.write(canonical)) or "") == canonical


@given(TEXTS)
def test_the_owners_listed_are_those_marked(text: str) -> None:
    canonical = rich_text.clean(text)
    written = MENTIONS.write(canonical)

    listed = [one for one in MENTIONS.mentioned([canonical]).split(";") if one]
    assert {OWNERS[one] for one in listed} == set(rich_text.names(canonical))
    assert all(f'data-mention-id="{one}"' in written for one in listed)


def test_a_stranger_becomes_plain_text() -> None:
    text = rich_text.clean(f"<p>Ask {render(rich_text.mention(STRANGER, 'No Body'))}</p>")

    assert MENTIONS.write(text) == "<p>Ask @No Body</p>"
    assert MENTIONS.mentioned([text]) == ""


def test_what_an_unknown_tool_wrote_is_read_too() -> None:
    text = '<span data-at-mention data-owner-id="41002" class="x">@Bo</span> and @Plain Name'

    assert MENTIONS.read(text) == '<span data-mention="bo@example.com">@Bo</span> and @Plain Name'


def test_rich_text_that_knows_no_mentions_gets_the_name() -> None:
    field = Field(name="note", label="Note", type=ValueType.RICH_TEXT)
    write = Formatter(field, TwoOwners())

    assert write(f"<p>{render(rich_text.mention('bo@example.com', 'Bo'))}</p>") == "<p>@Bo</p>"
    assert write('<p onclick="x()">Safe</p><script>x()</script>') == "<p>Safe</p>"
