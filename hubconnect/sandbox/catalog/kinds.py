"""The object types of the account and the rules that differ between them.

Names, type ids and default property sets are those of the HubSpot pages "Understanding the CRM" and
of the guide of each object (read 2026-11). A further object type is one more entry here and one
property table beside it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One object type.

    Attributes:
        name: plural name, the key of every table.
        created_property: property mirrored by ``createdAt``.
        modified_property: property mirrored by ``updatedAt``.
        default_properties: returned when a read names none.
        required: properties a create must set.
        required_any: properties of which a create must set at least one.
        searchable: properties the free text ``query`` of a search looks at.
        unfilterable: properties a search refuses to filter by.
        read_scopes: scopes of which a read needs all.
    """

    name: str
    singular: str
    type_id: str
    group: str
    read_scopes: tuple[str, ...]
    write_scopes: tuple[str, ...]
    schema_scope: str
    default_properties: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    required_any: tuple[str, ...] = ()
    searchable: tuple[str, ...] = ()
    unfilterable: tuple[str, ...] = ()
    created_property: str = "hs_createdate"
    modified_property: str = "hs_lastmodifieddate"
    pipeline_property: str = ""
    stage_property: str = ""
    label_properties: tuple[str, ...] = ()
    association_name: str = ""

    @property
    def upper(self) -> str:
        """Return the name used in messages, ``CONTACT``."""
        return self.singular.upper()

    @property
    def v3_name(self) -> str:
        """Return the name used in v3 association type names."""
        return self.association_name or self.singular


_CONTACTS_READ = ("crm.objects.contacts.read",)
_CONTACTS_WRITE = ("crm.objects.contacts.write",)
_PREVIEW = ("hs_body_preview_html",)

_ALL = (
    Kind(
        "contacts",
        "contact",
        "0-1",
        "contactinformation",
        read_scopes=_CONTACTS_READ,
        write_scopes=_CONTACTS_WRITE,
        schema_scope="crm.schemas.contacts.write",
        default_properties=("firstname", "lastname", "email"),
        required_any=("email", "firstname", "lastname"),
        searchable=(
            "firstname",
            "lastname",
            "email",
            "phone",
            "hs_additional_emails",
            "fax",
            "mobilephone",
            "company",
        ),
        created_property="createdate",
        modified_property="lastmodifieddate",
        label_properties=("firstname", "lastname"),
    ),
    Kind(
        "companies",
        "company",
        "0-2",
        "companyinformation",
        read_scopes=("crm.objects.companies.read",),
        write_scopes=("crm.objects.companies.write",),
        schema_scope="crm.schemas.companies.write",
        default_properties=("name", "domain"),
        required_any=("name", "domain"),
        searchable=("website", "phone", "name", "domain"),
        created_property="createdate",
        label_properties=("name",),
    ),
    Kind(
        "deals",
        "deal",
        "0-3",
        "dealinformation",
        read_scopes=("crm.objects.deals.read",),
        write_scopes=("crm.objects.deals.write",),
        schema_scope="crm.schemas.deals.write",
        default_properties=("dealname", "amount", "closedate", "pipeline", "dealstage"),
        required=("dealname", "dealstage"),
        searchable=("dealname", "pipeline", "dealstage", "description", "dealtype"),
        created_property="createdate",
        pipeline_property="pipeline",
        stage_property="dealstage",
        label_properties=("dealname",),
    ),
    Kind(
        "tickets",
        "ticket",
        "0-5",
        "ticketinformation",
        read_scopes=("tickets",),
        write_scopes=("tickets",),
        schema_scope="tickets",
        default_properties=(
            "subject",
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
        ),
        required=("subject", "hs_pipeline_stage"),
        searchable=(
            "subject",
            "content",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_id",
        ),
        created_property="createdate",
        pipeline_property="hs_pipeline",
        stage_property="hs_pipeline_stage",
        label_properties=("subject",),
    ),
    Kind(
        "notes",
        "note",
        "0-46",
        "note",
        read_scopes=_CONTACTS_READ,
        write_scopes=_CONTACTS_WRITE,
        schema_scope="crm.schemas.contacts.write",
        required=("hs_timestamp",),
        searchable=("hs_note_body",),
        unfilterable=_PREVIEW,
        label_properties=("hs_note_body",),
    ),
    Kind(
        "emails",
        "email",
        "0-49",
        "email",
        read_scopes=(*_CONTACTS_READ, "sales-email-read"),
        write_scopes=(*_CONTACTS_WRITE, "sales-email-read"),
        schema_scope="crm.schemas.contacts.write",
        required=("hs_timestamp", "hs_email_direction"),
        searchable=("hs_email_subject",),
        unfilterable=(*_PREVIEW, "hs_body_preview", "hs_email_html"),
        label_properties=("hs_email_subject",),
    ),
    Kind(
        "calls",
        "call",
        "0-48",
        "call",
        read_scopes=_CONTACTS_READ,
        write_scopes=_CONTACTS_WRITE,
        schema_scope="crm.schemas.contacts.write",
        required=("hs_timestamp",),
        searchable=("hs_call_title", "hs_body_preview"),
        unfilterable=_PREVIEW,
        label_properties=("hs_call_title",),
    ),
    Kind(
        "meetings",
        "meeting",
        "0-47",
        "meeting",
        read_scopes=_CONTACTS_READ,
        write_scopes=_CONTACTS_WRITE,
        schema_scope="crm.schemas.contacts.write",
        required=("hs_timestamp",),
        searchable=("hs_meeting_title", "hs_meeting_body"),
        unfilterable=_PREVIEW,
        label_properties=("hs_meeting_title",),
        association_name="meeting_event",
    ),
    Kind(
        "tasks",
        "task",
        "0-27",
        "task",
        read_scopes=_CONTACTS_READ,
        write_scopes=_CONTACTS_WRITE,
        schema_scope="crm.schemas.contacts.write",
        required=("hs_timestamp",),
        searchable=("hs_task_body", "hs_task_subject"),
        unfilterable=_PREVIEW,
        label_properties=("hs_task_subject",),
    ),
    Kind(
        "orders",
        "order",
        "0-123",
        "order_information",
        read_scopes=("crm.objects.orders.read",),
        write_scopes=("crm.objects.orders.write",),
        schema_scope="crm.schemas.orders.write",
        required=("hs_order_name",),
        searchable=("hs_order_name",),
        pipeline_property="hs_pipeline",
        stage_property="hs_pipeline_stage",
        label_properties=("hs_order_name",),
    ),
)

CUSTOM_READ = "crm.objects.custom.read"
CUSTOM_WRITE = "crm.objects.custom.write"

# HubSpot's own object types first; those of the account come on top. A process serves one account.
KINDS = {kind.name: kind for kind in _ALL}
_BY_ANY_NAME = {
    spelling: kind for kind in _ALL for spelling in (kind.name, kind.singular, kind.type_id)
}

ALL_SCOPES = tuple(
    sorted(
        {scope for kind in _ALL for scope in (*kind.read_scopes, *kind.write_scopes)}
        | {kind.schema_scope for kind in _ALL}
        | {"oauth", "crm.objects.owners.read", "crm.schemas.contacts.read"}
        | {"files", "files.ui_hidden.read"}
        | {CUSTOM_READ, CUSTOM_WRITE, "crm.schemas.custom.read", "crm.schemas.custom.write"}
    )
)


def find_kind(name: str) -> Kind | None:
    """Find an object type by plural name, singular name or type id, in any case.

    One that the account made is found by its fully qualified name, ``p_`` and its name, or type id.
    """
    return _BY_ANY_NAME.get(name.lower())


def add_kind(kind: Kind, short_name: str) -> None:
    """Let an object type of the account be found, in place of the one of this name before."""
    KINDS[kind.name] = kind
    _BY_ANY_NAME.update(
        {spelling.lower(): kind for spelling in (kind.name, short_name, kind.type_id)}
    )


def drop_kind(name: str) -> None:
    """Forget an object type of the account."""
    KINDS.pop(name, None)
    for spelling in [one for one, kind in _BY_ANY_NAME.items() if kind.name == name]:
        del _BY_ANY_NAME[spelling]
