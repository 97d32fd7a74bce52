"""HubSpot's own Python client of the new generation, answers checked strictly against its types."""

from collections.abc import Iterator

import pytest
from hubspot_sdk import BadRequestError, ConflictError, HubSpot, NotFoundError

from tests.sandbox_process import Sandbox

CONTACT_TO_COMPANY = 279
NOTE_TO_CONTACT = 202


@pytest.fixture
def client(hub: Sandbox) -> Iterator[HubSpot]:
    with HubSpot(
        access_token=hub.token,
        base_url=hub.url,
        max_retries=0,
        _strict_response_validation=True,
    ) as found:
        yield found


def test_a_contact_from_create_to_delete(client: HubSpot, email: str) -> None:
    contacts = client.crm.objects.contacts
    made = contacts.create(associations=[], properties={"email": email, "firstname": "Ana"})
    read = contacts.get(
        made.id, properties=["firstname", "email"], properties_with_history=["firstname"]
    )
    assert (read.properties["firstname"], read.properties["email"]) == ("Ana", email)
    changed = contacts.update(made.id, properties={"firstname": "Anna"})
    assert changed.properties["firstname"] == "Anna"
    by_address = contacts.get(email, id_property="email", properties=["email"])
    assert by_address.id == made.id
    with pytest.raises(ConflictError, match=made.id):
        contacts.create(associations=[], properties={"email": email})
    contacts.delete(made.id)
    with pytest.raises(NotFoundError):
        contacts.get(made.id)


def test_list_pages_by_itself(client: HubSpot, hub: Sandbox) -> None:
    made = {hub.create("companies", {"name": f"Page {n}"}) for n in range(5)}
    listed = [one.id for one in client.crm.objects.companies.list(limit=2, properties=["name"])]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))


def test_batches(client: HubSpot, email: str) -> None:
    batch = client.crm.objects.contacts.batch
    made = batch.create(
        inputs=[{"properties": {"email": f"{n}{email}"}, "associations": []} for n in range(3)]
    )
    ids = [one.id for one in made.results]
    changed = batch.update(inputs=[{"id": one, "properties": {"city": "Rome"}} for one in ids])
    assert len(changed.results) == 3
    read = batch.get(
        inputs=[{"id": one} for one in [*ids, "999999"]],
        properties=["city"],
        properties_with_history=[],
    )
    assert {one.properties["city"] for one in read.results} == {"Rome"}
    written = batch.upsert(
        inputs=[{"id": f"0{email}", "id_property": "email", "properties": {"city": "Oslo"}}]
    )
    assert [one.id in ids for one in written.results] == [True]
    batch.delete(inputs=[{"id": one} for one in ids])


def test_search(client: HubSpot, email: str) -> None:
    contacts = client.crm.objects.contacts
    made = contacts.create(associations=[], properties={"email": email})
    found = contacts.search(
        after="0",
        filter_groups=[
            {"filters": [{"property_name": "email", "operator": "EQ", "value": email.upper()}]}
        ],
        limit=10,
        properties=["email"],
        sorts=["hs_object_id"],
    )
    assert [one.id for one in found.results] == [made.id]
    with pytest.raises(BadRequestError):
        contacts.search(
            after="10000", filter_groups=[], limit=10, properties=[], sorts=["hs_object_id"]
        )


def test_merge_and_permanent_deletion(client: HubSpot, hub: Sandbox, email: str) -> None:
    one, two = hub.create("contacts", {"email": email}), hub.create("contacts", {"firstname": "B"})
    contacts = client.crm.objects.contacts
    survivor = contacts.merge(object_id_to_merge=two, primary_object_id=one)
    assert survivor.id not in {one, two}
    contacts.gdpr_delete(object_id=survivor.id)
    with pytest.raises(NotFoundError):
        contacts.get(survivor.id, archived=True)


def test_associations_and_labels(client: HubSpot, hub: Sandbox) -> None:
    contact = hub.create("contacts", {"firstname": "A"})
    company = hub.create("companies", {"name": "B"})
    client.crm.associations.create(
        company, from_object_type="contacts", from_object_id=contact, to_object_type="companies"
    )
    listed = client.crm.associations.list("companies", object_type="contacts", object_id=contact)
    assert [str(one.to_object_id) for one in listed] == [company]
    read = client.crm.associations.batch.get(
        "companies", from_object_type="contacts", inputs=[{"id": contact}]
    )
    (kind,) = read.results[0].to[0].association_types
    assert kind.type_id == CONTACT_TO_COMPANY
    labels = client.crm.associations_schema.labels.list_labels(
        "companies", from_object_type="contacts"
    )
    assert "Primary" in {one.label for one in labels.results}
    client.crm.associations.delete(
        company, object_type="contacts", object_id=contact, to_object_type="companies"
    )
    assert hub.associations("contacts", contact, "companies") == {}


def test_note_with_a_file(client: HubSpot, hub: Sandbox) -> None:
    contact = hub.create("contacts", {"firstname": "A"})
    file = client.files.file_assets.upload(
        file=("offer.pdf", b"the offer"),
        folder_path="/offers",
        file_name="offer.pdf",
        options='{"access": "PRIVATE"}',
    )
    signed = client.files.file_assets.get_signed_url(file.id)
    assert hub.fetch(signed.url)[1] == b"the offer"
    note = client.crm.objects.notes.create(
        associations=[
            {
                "to": {"id": contact},
                "types": [
                    {
                        "association_category": "HUBSPOT_DEFINED",
                        "association_type_id": NOTE_TO_CONTACT,
                    }
                ],
            }
        ],
        properties={
            "hs_timestamp": "2026-01-05T09:30:00.000Z",
            "hs_note_body": "<p>See file</p>",
            "hs_attachment_ids": file.id,
        },
    )
    assert set(hub.associations("contacts", contact, "notes")) == {note.id}
    found = client.files.file_assets.search(parent_folder_ids=[int(file.parent_folder_id or 0)])
    assert file.id in {one.id for one in found}
    client.files.file_assets.delete(file.id)
    with pytest.raises(NotFoundError):
        client.files.file_assets.get(file.id)


def test_properties_pipelines_owners_and_account(client: HubSpot) -> None:
    made = client.crm.properties.create(
        "contacts",
        field_type="text",
        group_name="contactinformation",
        label="Made by the SDK",
        name="made_by_sdk",
        type="string",
    )
    names = {one.name for one in client.crm.properties.list("contacts").results}
    assert {"email", made.name} <= names
    pipelines = {one.id: one for one in client.crm.pipelines.list("deals").results}
    assert "closedwon" in {stage.id for stage in pipelines["default"].stages}
    owners = list(client.crm.owners.list(limit=2))
    assert all("@" in (one.email or "") for one in owners)
    assert client.crm.owners.get(int(owners[0].id)).id == owners[0].id
    assert client.account.get().portal_id == 4242


def test_pipeline_is_made_replaced_and_deleted(client: HubSpot) -> None:
    stages = [
        {"display_order": n, "label": f"Stage {n}", "metadata": {"probability": "0.5"}}
        for n in range(2)
    ]
    made = client.crm.pipelines.create(
        "deals",
        display_order=7,
        label="By the SDK",
        stages=stages,  # type: ignore[arg-type]  # a literal list would be accepted
    )
    replaced = client.crm.pipelines.update_all_properties(
        made.id,
        object_type="deals",
        display_order=8,
        label="Replaced",
        stages=stages[:1],  # type: ignore[arg-type]  # as above
    )
    assert (replaced.label, len(replaced.stages)) == ("Replaced", 1)
    client.crm.pipelines.delete(made.id, object_type="deals")


def test_custom_object_type(client: HubSpot) -> None:
    made = client.crm.object_schemas.create(
        allows_sensitive_properties=False,
        associated_objects=["CONTACT"],
        labels={"singular": "Boat", "plural": "Boats"},
        name="sdk_boat",
        properties=[{"name": "boat_name", "label": "Name", "type": "string", "field_type": "text"}],
        required_properties=["boat_name"],
        searchable_properties=["boat_name"],
        secondary_display_properties=[],
        primary_display_property="boat_name",
    )
    assert made.id
    boat = client.crm.objects.custom.create(
        made.object_type_id or "", associations=[], properties={"boat_name": "Ada"}
    )
    listed = client.crm.objects.custom.list(made.object_type_id or "", properties=["boat_name"])
    assert [one.id for one in listed] == [boat.id]
