"""HubSpot's own Python client, unchanged but for the host."""

from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    BatchInputPublicAssociationMultiPost,
    BatchInputPublicFetchAssociationsBatchRequest,
)
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchReadInputSimplePublicObjectId,
    PublicMergeInput,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.contacts.exceptions import ApiException
from hubspot.crm.objects import (
    SimplePublicObjectInputForCreate as AnyObjectForCreate,
)
from hubspot.crm.properties import PropertyCreate
from hubspot.crm.schemas import (
    ObjectSchemaEgg,
    ObjectTypeDefinitionLabels,
    ObjectTypePropertyCreate,
)

from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(hub: Sandbox) -> Any:  # noqa: ANN401 - the client has no types
    return HubSpot(access_token=hub.token, host=hub.url)


def create(client: Any, email: str, **properties: str) -> Any:  # noqa: ANN401 - as above
    given = {"email": email, **properties}
    return client.crm.contacts.basic_api.create(
        simple_public_object_input_for_create=SimplePublicObjectInputForCreate(
            properties=given, associations=[]
        )
    )


def test_a_contact_is_created_read_changed_and_archived(client: Any, email: str) -> None:  # noqa: ANN401
    api = client.crm.contacts.basic_api
    made = create(client, email, firstname="Ana")
    assert api.get_by_id(made.id, properties=["firstname"]).properties["firstname"] == "Ana"
    changed = SimplePublicObjectInput(properties={"firstname": "Anna"})
    api.update(made.id, simple_public_object_input=changed)
    assert api.get_by_id(email, id_property="email").properties["firstname"] == "Anna"
    assert made.id in {one.id for one in client.crm.contacts.get_all()}
    api.archive(made.id)
    with pytest.raises(ApiException) as refused:
        api.get_by_id(made.id)
    assert refused.value.status == 404


def test_batches_and_their_answers(client: Any, email: str) -> None:  # noqa: ANN401
    api = client.crm.contacts.batch_api
    inputs = [{"properties": {"email": f"{n}{email}"}, "associations": []} for n in range(3)]
    made = api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs))
    ids = [one.id for one in made.results]
    changes = [{"id": one, "properties": {"lastname": "Poe"}} for one in ids]
    assert len(api.update(BatchInputSimplePublicObjectBatchInput(inputs=changes)).results) == 3
    read = api.read(
        BatchReadInputSimplePublicObjectId(
            inputs=[{"id": one} for one in [*ids, "999999"]],
            properties=["lastname"],
            properties_with_history=[],
        )
    )
    assert {one.properties["lastname"] for one in read.results} == {"Poe"}
    assert read.num_errors == 1


def test_search(client: Any, email: str) -> None:  # noqa: ANN401
    made = create(client, email)
    filters = [{"propertyName": "email", "operator": "EQ", "value": email.upper()}]
    found = client.crm.contacts.search_api.do_search(
        public_object_search_request=PublicObjectSearchRequest(
            filter_groups=[{"filters": filters}], properties=["email"], limit=10
        )
    )
    assert [one.id for one in found.results] == [made.id]


def test_properties_pipelines_and_owners(client: Any) -> None:  # noqa: ANN401
    wanted = PropertyCreate(
        name="made_by_client",
        label="Made by the client",
        type="string",
        field_type="text",
        group_name="contactinformation",
    )
    client.crm.properties.core_api.create("contacts", property_create=wanted)
    names = {one.name for one in client.crm.properties.core_api.get_all("contacts").results}
    assert {"email", "made_by_client"} <= names
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert "default" in {one.id for one in pipelines}
    assert all("@" in one.email for one in client.crm.owners.owners_api.get_page().results)


def test_associations(client: Any, hub: Sandbox, email: str) -> None:  # noqa: ANN401
    contact = create(client, email)
    company = hub.create("companies", {"name": "Paper & Co"})
    api = client.crm.associations.v4.batch_api
    link = {
        "_from": {"id": contact.id},
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
    }
    api.create(
        "contacts",
        "companies",
        BatchInputPublicAssociationMultiPost(inputs=[{"from": link.pop("_from"), **link}]),
    )
    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": contact.id}])
    (found,) = api.get_page("contacts", "companies", asked).results
    assert [str(one.to_object_id) for one in found.to] == [company]


def test_merge_files_and_pipelines(client: Any, hub: Sandbox, email: str, tmp_path: Path) -> None:  # noqa: ANN401
    one, two = create(client, email).id, hub.create("contacts", {"firstname": "B"})
    wanted = PublicMergeInput(primary_object_id=one, object_id_to_merge=two)
    survivor = client.crm.contacts.basic_api.merge(public_merge_input=wanted)
    assert client.crm.contacts.basic_api.get_by_id(one).id == survivor.id
    source = tmp_path / "offer.pdf"
    source.write_bytes(b"the offer")
    uploaded = client.files.files_api.upload(
        file=str(source), folder_path="/offers", options='{"access": "PRIVATE"}'
    )
    signed = client.files.files_api.get_signed_url(uploaded.id)
    assert hub.fetch(signed.url)[1] == b"the offer"
    found = client.files.files_api.do_search(name=uploaded.name)
    assert uploaded.id in {each.id for each in found.results}
    stages = client.crm.pipelines.pipeline_stages_api.get_all("deals", "default").results
    assert "closedwon" in {each.id for each in stages}


def test_custom_objects(client: Any, hub: Sandbox) -> None:  # noqa: ANN401
    api = client.crm.schemas.core_api
    made = api.create(
        object_schema_egg=ObjectSchemaEgg(
            name="boat",
            labels=ObjectTypeDefinitionLabels(singular="Boat", plural="Boats"),
            primary_display_property="hull",
            required_properties=["hull"],
            searchable_properties=["hull"],
            secondary_display_properties=[],
            associated_objects=["CONTACT"],
            properties=[
                ObjectTypePropertyCreate(
                    name="hull", label="Hull", type="string", field_type="text"
                )
            ],
        )
    )
    assert made.object_type_id.startswith("2-")
    assert made.fully_qualified_name == "p4242_boat"
    assert "boat" in [one.name for one in api.get_all(archived=False).results]
    assert api.get_by_id(object_type=made.object_type_id).labels.plural == "Boats"
    boat = client.crm.objects.basic_api.create(
        object_type=made.object_type_id,
        simple_public_object_input_for_create=AnyObjectForCreate(
            properties={"hull": "A"}, associations=[]
        ),
    )
    assert hub.get("p4242_boat", boat.id)["properties"]["hull"] == "A"
