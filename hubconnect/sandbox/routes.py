"""Which path leads to which call; both path families lead to the same ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from hubconnect.sandbox import (
    account_info,
    associations,
    associations_v3,
    batch,
    custom_objects,
    files,
    folders,
    merging,
    objects,
    owners,
    pipelines,
    properties,
    search,
)

Handler = Callable[..., Response]
DATES = ("2026-03", "2026-09")

_OBJECTS: list[tuple[str, str, Handler]] = [
    ("GET", "/<kind>", objects.list_records),
    ("POST", "/<kind>", objects.post_record),
    ("GET", "/<kind>/<record_id>", objects.get_record),
    ("PATCH", "/<kind>/<record_id>", objects.patch_record),
    ("DELETE", "/<kind>/<record_id>", objects.delete_record),
    ("POST", "/<kind>/gdpr-delete", objects.gdpr_delete),
    ("POST", "/<kind>/merge", merging.post_merge),
    ("POST", "/<kind>/search", search.search),
    ("POST", "/<kind>/batch/read", batch.batch_read),
    ("POST", "/<kind>/batch/create", batch.batch_create),
    ("POST", "/<kind>/batch/update", batch.batch_update),
    ("POST", "/<kind>/batch/upsert", batch.batch_upsert),
    ("POST", "/<kind>/batch/archive", batch.batch_archive),
]
_V3_TYPE = "/<kind>/<record_id>/associations/<to_kind>/<to_id>/<type_name>"
_V3_LINKS: list[tuple[str, str, Handler]] = [
    ("GET", "/<kind>/<record_id>/associations/<to_kind>", associations_v3.list_v3),
    ("PUT", _V3_TYPE, associations_v3.put_v3),
    ("DELETE", _V3_TYPE, associations_v3.delete_v3),
]
_LINK = "/<kind>/<record_id>/associations/<to_kind>/<to_id>"
_LINKS: list[tuple[str, str, Handler]] = [
    ("GET", "/<kind>/<record_id>/associations/<to_kind>", associations.list_associations),
    (
        "PUT",
        "/<kind>/<record_id>/associations/default/<to_kind>/<to_id>",
        associations.put_default,
    ),
    ("PUT", _LINK, associations.put_association),
    ("DELETE", _LINK, associations.delete_association),
]
_LINK_BATCHES: list[tuple[str, str, Handler]] = [
    ("POST", "/<kind>/<to_kind>/batch/read", associations.batch_read),
    ("POST", "/<kind>/<to_kind>/batch/create", associations.batch_create),
    ("POST", "/<kind>/<to_kind>/batch/associate/default", associations.batch_default),
    ("POST", "/<kind>/<to_kind>/batch/archive", associations.batch_archive),
    ("POST", "/<kind>/<to_kind>/batch/labels/archive", associations.batch_archive_labels),
    ("GET", "/<kind>/<to_kind>/labels", associations.list_labels),
    ("POST", "/<kind>/<to_kind>/labels", associations.post_label),
    ("PUT", "/<kind>/<to_kind>/labels", associations.put_label),
    ("DELETE", "/<kind>/<to_kind>/labels/<type_id>", associations.delete_label),
]
_V3_LINK_BATCHES: list[tuple[str, str, Handler]] = [
    ("POST", "/<kind>/<to_kind>/batch/read", associations_v3.batch_read_v3),
    ("POST", "/<kind>/<to_kind>/batch/create", associations_v3.batch_create_v3),
    ("POST", "/<kind>/<to_kind>/batch/archive", associations_v3.batch_archive_v3),
    ("GET", "/<kind>/<to_kind>/types", associations_v3.list_types),
]
_PROPERTIES: list[tuple[str, str, Handler]] = [
    ("GET", "/<kind>", properties.list_properties),
    ("POST", "/<kind>", properties.post_property),
    ("GET", "/<kind>/groups", properties.list_groups),
    ("POST", "/<kind>/groups", properties.post_group),
    ("GET", "/<kind>/groups/<name>", properties.get_group),
    ("PATCH", "/<kind>/groups/<name>", properties.patch_group),
    ("DELETE", "/<kind>/groups/<name>", properties.delete_group),
    ("POST", "/<kind>/batch/read", properties.batch_read_properties),
    ("POST", "/<kind>/batch/create", properties.batch_create_properties),
    ("POST", "/<kind>/batch/archive", properties.batch_archive_properties),
    ("GET", "/<kind>/<name>", properties.get_property),
    ("PATCH", "/<kind>/<name>", properties.patch_property),
    ("DELETE", "/<kind>/<name>", properties.delete_property),
]
_STAGE = "/<kind>/<pipeline_id>/stages/<stage_id>"
_PIPELINES: list[tuple[str, str, Handler]] = [
    ("GET", "/<kind>", pipelines.list_pipelines),
    ("POST", "/<kind>", pipelines.post_pipeline),
    ("GET", "/<kind>/<pipeline_id>", pipelines.get_pipeline),
    ("PATCH", "/<kind>/<pipeline_id>", pipelines.patch_pipeline),
    ("PUT", "/<kind>/<pipeline_id>", pipelines.put_pipeline),
    ("DELETE", "/<kind>/<pipeline_id>", pipelines.delete_pipeline),
    ("GET", "/<kind>/<pipeline_id>/stages", pipelines.list_stages),
    ("POST", "/<kind>/<pipeline_id>/stages", pipelines.post_stage),
    ("GET", _STAGE, pipelines.get_stage),
    ("PATCH", _STAGE, pipelines.patch_stage),
    ("PUT", _STAGE, pipelines.put_stage),
    ("DELETE", _STAGE, pipelines.delete_stage),
]
_OWNERS: list[tuple[str, str, Handler]] = [
    ("GET", "", owners.list_owners),
    ("GET", "/<owner_id>", owners.get_owner),
]
_ACCOUNT: list[tuple[str, str, Handler]] = [
    ("GET", "/details", account_info.get_details),
    ("GET", "/api-usage/daily/private-apps", account_info.get_daily_usage),
]
_FILES: list[tuple[str, str, Handler]] = [
    ("POST", "/files", files.post_file),
    ("GET", "/files/search", files.search_files),
    ("GET", "/files/stat/<path:path>", files.stat),
    ("GET", "/files/<file_id>", files.get_file),
    ("PUT", "/files/<file_id>", files.put_file),
    ("PATCH", "/files/<file_id>", files.patch_file),
    ("DELETE", "/files/<file_id>", files.delete_file),
    ("DELETE", "/files/<file_id>/gdpr-delete", files.delete_file),
    ("GET", "/files/<file_id>/signed-url", files.get_signed_url),
    ("POST", "/folders", folders.post_folder),
    ("GET", "/folders/search", folders.search_folders),
    ("GET", "/folders/<path:folder>", folders.get_folder),
    ("PATCH", "/folders/<folder>", folders.patch_folder),
    ("DELETE", "/folders/<path:folder>", folders.delete_folder),
]
_DOWNLOAD: list[tuple[str, str, Handler]] = [
    ("GET", "/files/<file_id>/download", files.download_file)
]
_SCHEMAS: list[tuple[str, str, Handler]] = [
    ("GET", "", custom_objects.list_schemas),
    ("POST", "", custom_objects.post_schema),
    ("GET", "/<kind>", custom_objects.get_schema),
    ("PATCH", "/<kind>", custom_objects.patch_schema),
    ("DELETE", "/<kind>", custom_objects.delete_schema),
]
_READING = frozenset(
    (
        search.search,
        batch.batch_read,
        associations.batch_read,
        associations_v3.batch_read_v3,
        properties.batch_read_properties,
    )
)
_SCHEMA_MODULES = (properties.__name__, pipelines.__name__, custom_objects.__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call: its handler, its path family, and what it does to the account.

    Attributes:
        call: name under which it is counted.
    """

    handler: Handler
    version: str
    method: str

    @property
    def call(self) -> str:
        """Return the name under which it is counted, such as ``batch.batch_read``."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def is_search(self) -> bool:
        """Return whether the search limit applies."""
        return self.handler is search.search

    @property
    def writes(self) -> bool:
        """Return whether it needs a writing transaction."""
        return self.method != "GET" and self.handler not in _READING

    @property
    def changes_schema(self) -> bool:
        """Return whether properties or pipelines may be different afterwards."""
        return self.writes and self.handler.__module__ in _SCHEMA_MODULES


def build_map() -> Map:
    """Build the map of all paths of the HubSpot API."""
    return Map(list(_rules()), strict_slashes=False)


def _rules() -> Iterator[Rule]:
    # /crm/v3/objects/contacts, /crm/objects/v3/contacts and /crm/objects/2026-03/contacts
    for area, calls in (
        ("objects", _OBJECTS + _V3_LINKS),
        ("properties", _PROPERTIES),
        ("pipelines", _PIPELINES),
        ("owners", _OWNERS),
    ):
        yield from _under(f"/crm/v3/{area}", "v3", calls)
        yield from _under(f"/crm/{area}/v3", "v3", calls)
    yield from _under("/crm/v3/schemas", "v3", _SCHEMAS)
    for version in ("v3", *DATES):
        yield from _under(f"/crm-object-schemas/{version}/schemas", version, _SCHEMAS)
    for date in DATES:
        yield from _under(f"/crm/objects/{date}", date, _OBJECTS + _LINKS)
        yield from _under(f"/crm/properties/{date}", date, _PROPERTIES)
        yield from _under(f"/crm/pipelines/{date}", date, _PIPELINES)
        yield from _under(f"/crm/owners/{date}", date, _OWNERS)
        yield from _under(f"/crm/associations/{date}", date, _LINK_BATCHES)
        yield from _under(f"/account-info/{date}", date, _ACCOUNT)
        yield from _under(f"/files/{date}", date, _FILES)
    for prefix in ("/crm/v3/associations", "/crm/associations/v3"):
        yield from _under(prefix, "v3", _V3_LINK_BATCHES)
    yield from _under("/crm/v4/objects", "v4", _LINKS)
    yield from _under("/crm/v4/associations", "v4", _LINK_BATCHES)
    yield from _under("/crm/associations/v4", "v4", _LINK_BATCHES)
    yield from _under("/account-info/v3", "v3", _ACCOUNT)
    yield from _under("/files/v3", "v3", _FILES + _DOWNLOAD)
    yield from _under("/integrations/v1", "v1", [("GET", "/me", account_info.get_me)])


def _under(prefix: str, version: str, calls: list[tuple[str, str, Handler]]) -> Iterator[Rule]:
    for method, path, handler in calls:
        endpoint = Endpoint(handler, version, method)
        yield Rule(prefix + path, methods=[method], endpoint=endpoint)
