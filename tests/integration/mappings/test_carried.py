"""The mapping's page of associations, comments, attachments and mentions."""

from collections.abc import Sequence

import pytest
from django.test import Client
from django.urls import reverse
from typing_extensions import override

from hubconnect.connectors.base import Capability, ObjectType, Outcome
from hubconnect.connectors.children import Associating, Association, AssociationType
from hubconnect.connectors.registry import connectors
from hubconnect.mappings.models import AssociationMapping, Mapping
from hubconnect.mappings.services import usage
from hubconnect.mappings.services.usage import Use
from tests.fakes.connector import FakeConnector

pytestmark = pytest.mark.django_db

TO_COMPANY = AssociationType(name="H:5", label="Primary", to_type="companies")
TO_CUSTOMER = AssociationType(
    name="column:customer_id", label="Customer", to_type="customers", is_many=False
)
LOOK_ONLY = AssociationType(name="view:x", label="Seen", to_type="customers", can_write=False)
PARENT = AssociationType(name="H:13", label="Parent deal", to_type="deals")


class Links(Associating):
    """Kinds of link of two object types; no record has any."""

    def association_types(self, object_type: str) -> list[AssociationType]:
        return [TO_COMPANY, PARENT] if object_type == "deals" else [TO_CUSTOMER, LOOK_ONLY]

    def associations(
        self,
        object_type: str,  # noqa: ARG002
        record_ids: Sequence[str],
        types: Sequence[str],  # noqa: ARG002
    ) -> dict[str, frozenset[Association]]:
        return {one: frozenset() for one in record_ids}

    def associate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        raise NotImplementedError

    def dissociate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        raise NotImplementedError


class RichConnector(FakeConnector):
    """The fake one with links, comments and attachments."""

    needed: tuple[str, ...] = ()

    @property
    @override
    def associating(self) -> Associating:
        return Links()

    @override
    def object_types(self) -> list[ObjectType]:
        everything = frozenset(Capability)
        return [
            ObjectType(
                name=one.name,
                label=one.label,
                capabilities=everything,
                needs_association=self.needed if one.name == "deals" else (),
            )
            for one in super().object_types()
        ]


@pytest.fixture(autouse=True)
def _rich(account: object, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setitem(connectors(), FakeConnector.slug, RichConnector)


def url(mapping: Mapping) -> str:
    return reverse("mappings:carried", args=[mapping.pk])


def sent(mapping: Mapping, *links: dict[str, str], **values: str) -> dict[str, str]:
    """What the page sends: nothing carried but mentions, and these associations."""
    data = {
        "version": str(mapping.version),
        "comments": "",
        "comment_edits": "update",
        "comment_conflict": "ask",
        "files": "",
        "file_max_mb": "100",
        "file_refused_types": "",
        "file_allowed_types": "",
        "mentions": "on",
        "links-TOTAL_FORMS": str(len(links)),
        "links-INITIAL_FORMS": "0",
        "act": "save",
    }
    for at, link in enumerate(links):
        data |= {f"links-{at}-{name}": value for name, value in link.items()}
    return data | values


LINK = {
    "left": "H:5",
    "direction": "both",
    "right": "column:customer_id",
    "carries_removal": "on",
    "default_left": "",
    "default_right": "77",
}


@pytest.mark.requirement("S46", "S47")
def test_comments_and_attachments_show_their_types_and_ways(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    mapping.comments, mapping.files = "both", "to_right"
    mapping.save()

    page = sync_admin_client.get(url(mapping)).content.decode()

    assert page.count("--OH_Default--") == 4
    assert page.count("--Copy--") == 4
    assert "Author in front of the copy" in page
    assert "Time in front of the copy" in page
    assert "Hub → Desk" in page
    assert "Desk → Hub" in page


@pytest.mark.requirement("S37")
def test_the_editor_shows_the_only_project(sync_admin_client: Client, mapping: Mapping) -> None:
    page = sync_admin_client.get(reverse("mappings:edit", args=[mapping.pk])).content.decode()

    assert page.count("OH_NO_PROJECT") == 2


@pytest.mark.requirement("S78")
def test_a_hierarchy_is_not_offered(sync_admin_client: Client, mapping: Mapping) -> None:
    page = sync_admin_client.get(url(mapping)).content.decode()

    assert "hierarchies are not synced" in page
    added = sync_admin_client.post(url(mapping), sent(mapping, LINK, act="add")).content.decode()
    assert "Primary" in added
    assert "Parent deal" not in added


@pytest.mark.requirement("S46")
def test_comment_settings_are_saved(sync_admin_client: Client, mapping: Mapping) -> None:
    response = sync_admin_client.post(
        url(mapping),
        sent(
            mapping,
            comments="to_right",
            comment_author_to_right="on",
            comment_author_to_left="on",
            comment_edits="again",
            comment_conflict="left",
        ),
    )

    assert response.status_code == 302
    mapping.refresh_from_db()
    assert (mapping.comments, mapping.comment_edits) == ("to_right", "again")
    assert mapping.comment_conflict == "left"
    assert mapping.comment_author_to_right
    assert not mapping.comment_author_to_left  # it does not apply, so it is not kept
    assert mapping.version == 2


@pytest.mark.requirement("S47")
def test_attachment_settings_are_saved(sync_admin_client: Client, mapping: Mapping) -> None:
    sync_admin_client.post(
        url(mapping), sent(mapping, files="both", file_max_mb="7", file_refused_types=".exe, BAT")
    )

    mapping.refresh_from_db()
    assert (mapping.files, mapping.file_max_mb) == ("both", 7)
    assert mapping.file_refused_types == ["exe", "bat"]


@pytest.mark.parametrize("act", ["save", "add"])
def test_settings_of_what_is_not_carried_are_not_sent_and_stay(
    sync_admin_client: Client, mapping: Mapping, act: str
) -> None:
    """A browser hides and disables them, so they are missing from what it sends."""
    mapping.comment_edits, mapping.file_max_mb, mapping.file_refused_types = "leave", 7, ["exe"]
    mapping.save()
    hidden = ("comment_edits", "comment_conflict", "file_max_mb", "file_refused_types")
    data = {name: value for name, value in sent(mapping, act=act).items() if name not in hidden}
    del data["file_allowed_types"]
    response = sync_admin_client.post(url(mapping), data)
    if act == "add":
        form = response.context["form"]
        assert [form[name].value() for name in hidden] == ["leave", "ask", 7, "exe"]
    else:
        assert response.status_code == 302
    mapping.refresh_from_db()
    kept = (mapping.comment_edits, mapping.file_max_mb, mapping.file_refused_types)
    assert kept == ("leave", 7, ["exe"])


def test_settings_of_what_is_carried_are_asked_for(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    data = sent(mapping, files="both", file_max_mb="")
    assert "This field is required" in sync_admin_client.post(url(mapping), data).content.decode()


def test_an_ending_that_is_none_is_refused(sync_admin_client: Client, mapping: Mapping) -> None:
    page = sync_admin_client.post(url(mapping), sent(mapping, file_refused_types="a/b"))

    assert "is not the ending of a file name" in page.content.decode()


def test_an_ending_cannot_be_both_refused_and_allowed(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    data = sent(mapping, files="both", file_refused_types="exe", file_allowed_types="pdf exe")

    assert "exe is refused above" in sync_admin_client.post(url(mapping), data).content.decode()


@pytest.mark.requirement("S35")
def test_an_association_is_saved_with_its_far_types(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    response = sync_admin_client.post(url(mapping), sent(mapping, LINK))

    assert response.status_code == 302
    row = AssociationMapping.objects.get()
    assert (row.left_to_type, row.right_to_type) == ("companies", "customers")
    assert row.carries_removal
    assert not row.must_exist
    assert row.default_right == "77"


def test_a_default_of_a_way_that_is_not_carried_is_not_kept(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    sync_admin_client.post(url(mapping), sent(mapping, LINK | {"direction": "to_left"}))

    assert AssociationMapping.objects.get().default_right == ""


def test_a_button_adds_and_removes_rows_without_saving(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    added = sync_admin_client.post(url(mapping), sent(mapping, LINK, act="add", comments="both"))
    page = added.content.decode()
    assert page.count('class="assoc"') == 2
    assert '<option value="both" selected>' in page

    removed = sync_admin_client.post(url(mapping), sent(mapping, LINK, act="remove:0"))
    assert 'class="assoc"' not in removed.content.decode()
    assert not AssociationMapping.objects.exists()


def test_a_link_that_can_only_be_read_is_not_written(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    page = sync_admin_client.post(url(mapping), sent(mapping, LINK | {"right": "view:x"}))

    assert "only lets this link be read" in page.content.decode()
    one_way = LINK | {"right": "view:x", "direction": "to_left"}
    assert sync_admin_client.post(url(mapping), sent(mapping, one_way)).status_code == 302


def test_the_same_pair_twice_is_refused(sync_admin_client: Client, mapping: Mapping) -> None:
    page = sync_admin_client.post(url(mapping), sent(mapping, LINK, LINK))

    assert "Another row pairs the same two links" in page.content.decode()


def test_an_unknown_link_is_refused(sync_admin_client: Client, mapping: Mapping) -> None:
    page = sync_admin_client.post(url(mapping), sent(mapping, LINK | {"left": "H:999"}))

    assert "Hub has no such link (any more)" in page.content.decode()


@pytest.mark.requirement("S48", "S50")
def test_a_type_that_needs_a_link_says_so(
    sync_admin_client: Client, mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RichConnector, "needed", ("companies",))
    without = sync_admin_client.get(url(mapping)).content.decode()
    assert "can only be created in Hub with a link to one of companies" in without

    sync_admin_client.post(url(mapping), sent(mapping, LINK))
    with_link = sync_admin_client.get(url(mapping)).content.decode()
    assert "can only be created" not in with_link


def test_somebody_elses_change_is_not_overwritten(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    data = sent(mapping, LINK)
    Mapping.objects.update(version=5)

    page = sync_admin_client.post(url(mapping), data, follow=True).content.decode()

    assert "Somebody saved version 5" in page
    assert not AssociationMapping.objects.exists()


def test_a_mapping_at_work_is_not_changed(
    sync_admin_client: Client, mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "_guards", [lambda _: [Use("Shop", is_active=True)]])

    page = sync_admin_client.post(url(mapping), sent(mapping, LINK), follow=True)

    assert "“Shop”" in page.content.decode()
    assert not AssociationMapping.objects.exists()


def test_a_monitor_looks_and_changes_nothing(monitor_client: Client, mapping: Mapping) -> None:
    assert monitor_client.get(url(mapping)).status_code == 200
    assert monitor_client.post(url(mapping), sent(mapping, LINK)).status_code == 403


def test_rows_that_do_not_fit_together_are_no_crash(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    broken = {"act": "save", "version": "x", "links-TOTAL_FORMS": "many"}

    assert sync_admin_client.post(url(mapping), broken).status_code == 200


LONG = "9" * 5000


@pytest.mark.parametrize("act", [f"remove:{LONG}", "remove:²", "remove:-1", "remove", "add:x", "x"])
def test_a_button_nobody_made_changes_nothing(
    sync_admin_client: Client, mapping: Mapping, act: str
) -> None:
    assert sync_admin_client.post(url(mapping), {"act": act}).status_code == 200
    assert not AssociationMapping.objects.exists()
