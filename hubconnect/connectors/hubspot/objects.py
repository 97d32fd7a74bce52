"""The object types HubConnect knows of HubSpot, as data. Another type is another row."""

from dataclasses import dataclass

from hubconnect.connectors.errors import AttentionError

OWNERS_SCOPE = "crm.objects.owners.read"

# Name of the unique property that makes creates idempotent.
KEY_PROPERTY = "hubconnect_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKind:
    """One object type.

    Attributes:
        name: plural name, as in paths.
        code: HubSpot's object type id.
        modified: property that carries the modified time ("Search the CRM").
        created: property that carries the created time.
        read_scopes: any one of these lets records be read.
        write_scopes: any one of these lets records be created and changed.
        schema_scopes: any one of these lets properties be created.
        group: property group for properties of ours.
        required: properties HubSpot asks for on create though their definition does not say so.
        defaulted: properties HubSpot fills on create when they are left out.
        unique: properties that serve a lookup though their definition does not say so.
        pipeline: property holding the pipeline, or "" where the type has none.
        stage: property holding the stage in it.
    """

    name: str
    singular: str
    label: str
    code: str
    modified: str = "hs_lastmodifieddate"
    created: str = "createdate"
    read_scopes: tuple[str, ...]
    write_scopes: tuple[str, ...]
    schema_scopes: tuple[str, ...]
    group: str
    required: tuple[str, ...] = ()
    defaulted: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    pipeline: str = ""
    stage: str = ""


KINDS = {
    kind.name: kind
    for kind in (
        ObjectKind(
            name="contacts",
            singular="contact",
            label="Contacts",
            code="0-1",
            modified="lastmodifieddate",
            read_scopes=("crm.objects.contacts.read",),
            write_scopes=("crm.objects.contacts.write",),
            schema_scopes=("crm.schemas.contacts.write",),
            group="contactinformation",
            unique=("email",),
        ),
        ObjectKind(
            name="companies",
            singular="company",
            label="Companies",
            code="0-2",
            read_scopes=("crm.objects.companies.read",),
            write_scopes=("crm.objects.companies.write",),
            schema_scopes=("crm.schemas.companies.write",),
            group="companyinformation",
        ),
        ObjectKind(
            name="deals",
            singular="deal",
            label="Deals",
            code="0-3",
            read_scopes=("crm.objects.deals.read",),
            write_scopes=("crm.objects.deals.write",),
            schema_scopes=("crm.schemas.deals.write",),
            group="dealinformation",
            required=("dealname", "dealstage"),
            defaulted=("pipeline",),
            pipeline="pipeline",
            stage="dealstage",
        ),
        ObjectKind(
            name="tickets",
            singular="ticket",
            label="Tickets",
            code="0-5",
            read_scopes=("tickets", "crm.objects.tickets.read"),
            write_scopes=("tickets", "crm.objects.tickets.write"),
            schema_scopes=("tickets", "crm.schemas.tickets.write"),
            group="ticketinformation",
            required=("subject", "hs_pipeline_stage"),
            defaulted=("hs_pipeline",),
            pipeline="hs_pipeline",
            stage="hs_pipeline_stage",
        ),
    )
}


def get_kind(name: str) -> ObjectKind:
    """Return the object type of this name.

    Raises:
        AttentionError: HubConnect does not know it.
    """
    try:
        return KINDS[name]
    except KeyError:
        msg = f"HubSpot object type {name!r} is not one HubConnect can sync."
        raise AttentionError(msg, hint=f"Choose one of {', '.join(KINDS)}.") from None
