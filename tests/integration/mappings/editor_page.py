"""What a browser sends from the editor's page."""

from typing import Any

from django.test import Client

from hubconnect.mappings.models import Mapping

Row = dict[str, Any]
SOUND: Row = {"left": "name", "right": "title"}


def form_data(mapping: Mapping, *rows: Row, act: str = "save", **more: str) -> dict[str, str]:
    """Return the form's fields for these rows; ``pairs`` is a list of (left, way, right)."""
    data = {
        "name": mapping.name,
        "version": str(mapping.version),
        "act": act,
        "rows-TOTAL_FORMS": str(len(rows)),
        "rows-INITIAL_FORMS": str(len(rows)),
    }
    for at, row in enumerate(rows):
        prefix = f"rows-{at}"
        pairs = row.get("pairs", [])
        data |= {f"{prefix}-direction": "both", f"{prefix}-when": "both"}
        data |= {f"{prefix}-{name}": str(value) for name, value in row.items() if name != "pairs"}
        data[f"{prefix}-pairs-TOTAL_FORMS"] = str(len(pairs))
        data[f"{prefix}-pairs-INITIAL_FORMS"] = str(len(pairs))
        for place, (left, way, right) in enumerate(pairs):
            pair = f"{prefix}-pairs-{place}"
            data |= {f"{pair}-left": left, f"{pair}-direction": way, f"{pair}-right": right}
    return data | more


def send(client: Client, mapping: Mapping, *rows: Row, act: str = "save", **more: str) -> Any:  # noqa: ANN401  a response with its context
    """Press a button of the editor."""
    return client.post(f"/mappings/{mapping.pk}/", form_data(mapping, *rows, act=act, **more))


def text_of(response: Any) -> str:  # noqa: ANN401  a response of Django's client
    """Return the page's source."""
    return str(response.content.decode())


def problems(response: Any) -> list[str]:  # noqa: ANN401  a response with its context
    """Return the sentences listed on top of the page that was not saved."""
    assert response.status_code == 200, "it was saved"
    assert "Not saved" in text_of(response)
    return [one.message for one in response.context["problems"]]


def rows_now(response: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401  a response with its context
    """Return the rows the page shows: left, right, direction."""
    forms = response.context["formset"].forms
    return [(one.left_name, one.right_name, one.direction_now.value) for one in forms]
