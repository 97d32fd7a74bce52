"""Links in the guides of the Help section."""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hubconnect.core.helping import find_topic

register = template.Library()


@register.simple_tag
def goto(address: str, words: str) -> SafeString:
    """Lead to a page of the reader's account; only name it while no account is known."""
    return outside(address, words) if address else format_html("<strong>{}</strong>", words)


@register.simple_tag
def outside(address: str, words: str) -> SafeString:
    """Lead out of HubConnect, in a tab of its own."""
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer">{}'
        '<span class="visually-hidden"> (opens in a new tab)</span></a>',
        address,
        words,
    )


@register.simple_tag(takes_context=True)
def guide(context: template.Context, slug: str, words: str = "") -> SafeString:
    """Lead to another guide, for the same account."""
    topic = find_topic(slug)
    if topic is None:
        msg = f"There is no guide {slug!r}."
        raise template.TemplateSyntaxError(msg)
    address = reverse("help:topic", args=[slug]) + str(context.get("query", ""))
    return format_html('<a href="{}">{}</a>', address, words or topic.title)
