"""The object types HubConnect knows of HubSpot, as data. Another type is another row.

Names, ids, scopes and required properties as in the guide of each object ("Deals", "Notes"...).
An account's custom objects come on top; see ``custom.py``.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

OWNERS_SCOPE = "crm.objects.owners.read"

# Name of the unique property that makes creates idempotent.
KEY_PROPERTY = "hubconnect_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKind:
    """One object type.

    Attributes:
        name: name in paths: the plural, or a custom object's fully qualified name.
        code: HubSpot's object type id.
        modified: property that carries the modified time ("Search the CRM").
        created: property that carries the created time.
        read_scopes: any one of these lets records be read.
        write_scopes: any one of these lets records be created and changed.
        also_scopes: all of these are needed besides, to read as well as to write.
        schema_scopes: any one of these lets properties be created.
        group: property group for properties of ours.
        required: properties HubSpot asks for on create though their definition does not say so.
        required_any: properties of which HubSpot asks for at least one on create.
        defaulted: properties HubSpot fills on create when they are left out.
        unique: properties that serve a lookup though their definition does not say so.
        pipeline: property holding the pipeline, or "" where the type has none.
        stage: property holding the stage in it.
        bodies: properties that hold rich text, whatever their definition says.
        unsearchable: properties a search refuses to filter by.
        is_activity: it stands on the timeline of other records.
        is_custom: the account made it.
        needs_link: HubSpot shows it on the records it is associated with and nowhere else.
    """

    name: str
    singular: str
    label: str
    code: str
    modified: str = "hs_lastmodifieddate"
    created: str = "hs_createdate"
    read_scopes: tuple[str, ...]
    write_scopes: tuple[str, ...]
    also_scopes: tuple[str, ...] = ()
    schema_scopes: tuple[str, ...]
    group: str
    required: tuple[str, ...] = ()
    required_any: tuple[str, ...] = ()
    defaulted: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    pipeline: str = ""
    stage: str = ""
    bodies: tuple[str, ...] = ()
    unsearchable: tuple[str, ...] = ()
    is_activity: bool = False
    is_custom: bool = False
    needs_link: bool = False

    def lacks_to_read(self, granted: Collection[str]) -> tuple[str, ...]:
        """Return the scopes still to be granted before records can be read."""
        return _lacking(granted, self.read_scopes, self.also_scopes)

    def lacks_to_write(self, granted: Collection[str]) -> tuple[str, ...]:
        """Return the scopes still to be granted before records can be created and changed."""
        return _lacking(granted, self.write_scopes, self.also_scopes)


def _lacking(
    granted: Collection[str], one_of: tuple[str, ...], all_of: tuple[str, ...]
) -> tuple[str, ...]:
    has_one = any(scope in granted for scope in one_of)
    missing = tuple(scope for scope in all_of if scope not in granted)
    return missing if has_one else (one_of[0], *missing)


# What notes, emails, tasks, calls and meetings have in common; their scopes are those of contacts.
_ACTIVITY = ObjectKind(
    name="",
    singular="",
    label="",
    code="",
    read_scopes=("crm.objects.contacts.read",),
    write_scopes=("crm.objects.contacts.write",),
    schema_scopes=("crm.schemas.contacts.write",),
    group="",
    required=("hs_timestamp",),
    unsearchable=("hs_body_preview_html",),
    is_activity=True,
)

KINDS = {
    kind.name: kind
    for kind in (
        ObjectKind(
            name="deals",
            singular="deal",
            label="Deals",
            code="0-3",
            created="createdate",
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
            created="createdate",
            read_scopes=("tickets", "crm.objects.tickets.read"),
            write_scopes=("tickets", "crm.objects.tickets.write"),
            schema_scopes=("tickets", "crm.schemas.tickets.write"),
            group="ticketinformation",
            required=("subject", "hs_pipeline_stage"),
            defaulted=("hs_pipeline",),
            pipeline="hs_pipeline",
            stage="hs_pipeline_stage",
        ),
        ObjectKind(
            name="contacts",
            singular="contact",
            label="Contacts",
            code="0-1",
            modified="lastmodifieddate",
            created="createdate",
            read_scopes=("crm.objects.contacts.read",),
            write_scopes=("crm.objects.contacts.write",),
            schema_scopes=("crm.schemas.contacts.write",),
            group="contactinformation",
            required_any=("email", "firstname", "lastname"),
            unique=("email",),
        ),
        ObjectKind(
            name="companies",
            singular="company",
            label="Companies",
            code="0-2",
            created="createdate",
            read_scopes=("crm.objects.companies.read",),
            write_scopes=("crm.objects.companies.write",),
            schema_scopes=("crm.schemas.companies.write",),
            group="companyinformation",
            required_any=("name", "domain"),
        ),
        ObjectKind(
            name="orders",
            singular="order",
            label="Orders",
            code="0-123",
            read_scopes=("crm.objects.orders.read",),
            write_scopes=("crm.objects.orders.write",),
            schema_scopes=("crm.schemas.orders.write",),
            group="order_information",
            required=("hs_order_name",),
            pipeline="hs_pipeline",
            stage="hs_pipeline_stage",
        ),
        replace(
            _ACTIVITY,
            name="notes",
            singular="note",
            label="Notes",
            code="0-46",
            group="note",
            bodies=("hs_note_body",),
            needs_link=True,
        ),
        replace(
            _ACTIVITY,
            name="emails",
            singular="email",
            label="Emails",
            code="0-49",
            group="email",
            # One page lists it with the contacts scopes, another as an alternative: ask for both.
            also_scopes=("sales-email-read",),
            required=("hs_timestamp", "hs_email_direction"),
            bodies=("hs_email_html",),
            unsearchable=("hs_body_preview_html", "hs_body_preview", "hs_email_html"),
            needs_link=True,
        ),
        replace(
            _ACTIVITY,
            name="tasks",
            singular="task",
            label="Tasks",
            code="0-27",
            group="task",
            bodies=("hs_task_body",),
        ),
        replace(
            _ACTIVITY,
            name="calls",
            singular="call",
            label="Calls",
            code="0-48",
            group="call",
            bodies=("hs_call_body",),
        ),
        replace(
            _ACTIVITY,
            name="meetings",
            singular="meeting",
            label="Meetings",
            code="0-47",
            group="meeting",
            bodies=("hs_meeting_body", "hs_internal_meeting_notes"),
            needs_link=True,
        ),
    )
}
