from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from typing_extensions import override

from hubconnect.connectors.base import Condition, Operator, Page, Value, ValueType, Window
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import DictCache, connect
from tests.sandbox_process import Sandbox

ALL_TIME = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NAMES = ["email", "firstname", "lastname", "lifecyclestage", "createdate", "phone"]


@pytest.fixture
def reading(seeded: Sandbox) -> Iterator[HubSpotConnector]:
    with connect(seeded) as opened:
        yield opened


def ids_of(pages: Iterator[Page] | list[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def equals(field: str, value: Value) -> tuple[Condition, ...]:
    return (Condition(field, Operator.EQUALS, value),)


def test_a_first_load_costs_a_call_for_a_hundred_records(reading: HubSpotConnector) -> None:
    pages = list(reading.everything("contacts", (), NAMES))
    ids = ids_of(pages)
    assert len(ids) == len(set(ids)) == 1000
    assert ids == sorted(ids, key=int)
    assert all(page.settled and len(page.records) == 100 for page in pages)
    # Ten pages; once an hour the schema, and both lists of owners, who changed the records.
    assert dict(reading.calls) == {"list": 10, "schema": 1, "owners": 2}


def test_a_first_load_goes_on_behind_any_page(reading: HubSpotConnector) -> None:
    pages = list(reading.everything("contacts", (), NAMES))
    for position in (0, 4, 9):
        rest = ids_of(reading.everything("contacts", (), NAMES, pages[position].after))
        assert rest == ids_of(pages[position + 1 :])


def test_changes_cost_a_search_for_two_hundred_records(reading: HubSpotConnector) -> None:
    pages = list(reading.changes("contacts", ALL_TIME, (), NAMES))
    assert len(set(ids_of(pages))) == 1000
    assert all(len(page.records) <= reading.batch_size for page in pages)
    assert not any(page.settled for page in pages)
    assert reading.calls["search"] == 5  # all full: no sixth is sent for an empty page
    assert ids_of(reading.changes("contacts", ALL_TIME, (), NAMES, pages[2].after)) == ids_of(
        pages[3:]
    )


def test_both_ways_give_the_same_values(reading: HubSpotConnector) -> None:
    first = next(reading.everything("contacts", (), NAMES)).records
    assert next(reading.changes("contacts", ALL_TIME, (), NAMES)).records == first
    record = first[0]
    assert record.modified_at is not None
    assert record.version
    assert record.url.endswith(f"/contacts/4242/record/0-1/{record.id}")
    assert isinstance(record.values["createdate"], datetime)


@pytest.mark.parametrize("object_type", ["companies", "deals", "tickets"])
def test_every_type_has_its_changes(reading: HubSpotConnector, object_type: str) -> None:
    everything = ids_of(reading.everything(object_type, (), ["createdate"]))
    assert ids_of(reading.changes(object_type, ALL_TIME, (), ["createdate"])) == everything


def test_a_window_holds_both_of_its_ends(reading: HubSpotConnector) -> None:
    pages = list(reading.everything("deals", (), ["dealname"]))
    times = sorted(r.modified_at for page in pages for r in page.records if r.modified_at)
    low, high = times[10], times[20]
    found = ids_of(reading.changes("deals", Window(low, high), (), ["dealname"]))
    assert len(found) == sum(1 for each in times if low <= each <= high)


def test_a_window_without_changes_gives_no_page(reading: HubSpotConnector) -> None:
    old = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 1, 2, tzinfo=UTC))
    assert list(reading.changes("contacts", old, (), NAMES)) == []
    assert reading.calls["search"] == 1


def test_more_fields_than_a_search_takes_are_read_in_batches(
    reading: HubSpotConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubconnect.connectors.hubspot.search.MAX_BODY", 600)
    names = [field.name for field in reading.fields("contacts")]
    pages = list(reading.changes("contacts", ALL_TIME, (), names))
    assert len(ids_of(pages)) == 1000
    assert all(page.settled for page in pages)
    assert pages[0].records[0].values["email"]
    assert dict(reading.calls) == {"schema": 1, "owners": 2, "search": 5, "batch read": 10}


def test_more_fields_than_an_address_takes_are_read_in_batches(
    reading: HubSpotConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(reading.everything("contacts", (), NAMES))
    monkeypatch.setattr("hubconnect.connectors.hubspot.records.MAX_LIST_IN_URL", 10)
    assert list(reading.everything("contacts", (), NAMES)) == expected


def test_criteria_narrow_every_way_of_reading(reading: HubSpotConnector) -> None:
    stage = equals("dealstage", "appointmentscheduled")
    everything = list(reading.everything("deals", (), ["dealstage"]))
    wanted = [
        record.id
        for page in everything
        for record in page.records
        if record.values["dealstage"] == "appointmentscheduled"
    ]
    assert wanted
    assert ids_of(reading.everything("deals", stage, ["dealstage"])) == wanted
    assert ids_of(reading.changes("deals", ALL_TIME, stage, ["dealstage"])) == wanted
    assert reading.count("deals", stage) == len(wanted)
    assert reading.count("deals") == 120


def test_dates_numbers_and_lists_narrow_too(reading: HubSpotConnector) -> None:
    records = [
        record
        for page in reading.everything("deals", (), ["createdate", "amount", "dealstage"])
        for record in page.records
    ]
    moment = sorted(str(r.values["createdate"]) for r in records)[60]
    after = datetime.fromisoformat(moment)
    later = (Condition("createdate", Operator.GREATER_THAN, after),)
    assert reading.count("deals", later) == sum(
        1 for r in records if isinstance(each := r.values["createdate"], datetime) and each > after
    )
    stages = ("closedwon", "closedlost")
    listed = (Condition("dealstage", Operator.IN, values=stages),)
    assert reading.count("deals", listed) == sum(
        1 for r in records if r.values["dealstage"] in stages
    )
    has = (Condition("amount", Operator.HAS_PROPERTY),)
    assert reading.count("deals", has) == sum(1 for r in records if r.values["amount"] is not None)


def test_records_are_read_by_id_and_what_is_gone_is_missing(reading: HubSpotConnector) -> None:
    page = next(reading.everything("contacts", (), NAMES))
    ids = [record.id for record in page.records[:3]]
    found = reading.read("contacts", [*ids, "999999999"], NAMES)
    assert found == {record.id: record for record in page.records[:3]}
    assert reading.calls["batch read"] == 1


def test_schema_has_types_options_and_requirements(reading: HubSpotConnector) -> None:
    deals = {field.name: field for field in reading.fields("deals")}
    assert deals["dealstage"].required
    assert deals["pipeline"].has_default
    labels = {option.value: option.label for option in deals["dealstage"].options}
    assert labels["appointmentscheduled"] == "Appointment Scheduled (Sales Pipeline)"
    assert deals["amount"].type is ValueType.NUMBER
    assert deals["closedate"].type is ValueType.DATETIME
    assert deals["hubspot_owner_id"].type is ValueType.USER
    assert deals["hs_is_closed"].read_only
    assert deals["hs_object_id"].type is ValueType.REFERENCE
    contacts = {field.name: field for field in reading.fields("contacts")}
    assert contacts["email"].unique
    assert contacts["hs_buying_role"].type is ValueType.OPTIONS


def test_owners_are_their_emails(reading: HubSpotConnector) -> None:
    records = next(reading.everything("deals", (), ["hubspot_owner_id"])).records
    owners = {record.values["hubspot_owner_id"] for record in records} - {None}
    assert owners
    assert all("@" in str(owner) for owner in owners)
    email = min(str(owner) for owner in owners)
    assert reading.count("deals", equals("hubspot_owner_id", email)) >= 1


def test_what_is_cached_costs_no_calls(seeded: Sandbox) -> None:
    cache = DictCache()
    with connect(seeded, cache=cache) as first:
        first.identity()
        next(first.everything("deals", (), ["hubspot_owner_id"]))
    with connect(seeded, cache=cache) as second:
        assert second.identity() == "hubspot:4242"
        next(second.everything("deals", (), ["hubspot_owner_id"]))
        assert second.calls == {"list": 1}
    assert not any(seeded.token in text for item in cache.texts.items() for text in item)


def test_the_account_is_asked_once_an_hour_and_token(seeded: Sandbox) -> None:
    cache = ExpiringCache()
    for expected in ({"account": 1}, {}):
        with connect(seeded, cache=cache) as opened:
            assert opened.identity() == opened.identity() == "hubspot:4242"
            assert opened.calls == expected
    with (
        connect(seeded, cache=cache, access_token="pat-na1-another") as other,
        pytest.raises(AttentionError),  # not what is known of the first token
    ):
        other.identity()
    cache.passed = timedelta(minutes=59)
    with connect(seeded, cache=cache) as opened:
        opened.identity()
        assert opened.calls == {}
    cache.passed = timedelta(minutes=61)
    with connect(seeded, cache=cache) as opened:
        opened.identity()
        assert opened.calls == {"account": 1}


class ExpiringCache(DictCache):
    """A cache whose texts go once their time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = timedelta(0)
        self._ends: dict[str, timedelta] = {}

    @override
    def get(self, key: str) -> str | None:
        return self.texts.get(key) if self._ends.get(key, self.passed) > self.passed else None

    @override
    def set(self, key: str, text: str, keep_for: timedelta) -> None:
        super().set(key, text, keep_for)
        self._ends[key] = self.passed + keep_for


def test_the_clock_is_hubspots(reading: HubSpotConnector) -> None:
    assert abs(reading.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert reading.now().tzinfo is UTC


@pytest.mark.requirement("S30", "S31")
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("", "https://app.hubspot.com/contacts/4242/record/0-3/7"),
        ("https://hs.example.com", "https://hs.example.com/contacts/4242/record/0-3/7"),
        ("https://hs.example.com/contacts/99", "https://hs.example.com/contacts/99/record/0-3/7"),
    ],
)
def test_links_lead_to_the_record(seeded: Sandbox, base: str, url: str) -> None:
    with connect(seeded, remote_link_base=base) as opened:
        assert opened.url("deals", "7") == url
        record = next(opened.everything("deals", (), ["dealname"])).records[0]
        assert record.url == url.removesuffix("7") + record.id


def test_an_unknown_field_or_type_is_named(reading: HubSpotConnector) -> None:
    with pytest.raises(AttentionError, match="colour"):
        list(reading.everything("deals", (), ["colour"]))
    with pytest.raises(AttentionError, match="colour"):
        reading.count("deals", equals("colour", "red"))
    with pytest.raises(AttentionError, match="wishes"):
        reading.fields("wishes")


def test_lookups_by_a_unique_field_are_batch_reads(reading: HubSpotConnector) -> None:
    records = [r for page in reading.everything("contacts", (), NAMES) for r in page.records]
    known = [record for record in records if record.values["email"]][:150]
    asked = [equals("email", str(record.values["email"]).upper()) for record in known]
    found = reading.find("contacts", [*asked, equals("email", "nobody@example.org")], NAMES)
    assert [[r.id for r in each] for each in found] == [[r.id] for r in known] + [[]]
    assert found[0] == [known[0]]
    assert reading.calls["batch read"] == 2
    assert reading.calls["search"] == 0


def test_lookups_by_another_field_share_searches_and_are_complete(
    reading: HubSpotConnector,
) -> None:
    records = [r for page in reading.everything("contacts", (), NAMES) for r in page.records]
    names = sorted({str(r.values["firstname"]) for r in records if r.values["firstname"]})
    found = reading.find("contacts", [equals("firstname", name) for name in names], NAMES)
    for name, matches in zip(names, found, strict=True):
        wanted = [r for r in records if str(r.values["firstname"]).lower() == name.lower()]
        assert matches == wanted
    assert reading.calls["search"] <= 12


def test_lookups_by_several_conditions_share_searches(reading: HubSpotConnector) -> None:
    records = [r for page in reading.everything("contacts", (), NAMES) for r in page.records][:10]
    queries = [
        (
            Condition("firstname", Operator.EQUALS, r.values["firstname"]),
            Condition("lastname", Operator.EQUALS, r.values["lastname"]),
        )
        for r in records
    ]
    found = reading.find("contacts", queries, ["email"])
    assert all(r.id in {m.id for m in each} for r, each in zip(records, found, strict=True))
    assert reading.calls["search"] == 1
    token = (Condition("email", Operator.CONTAINS_TOKEN, "*.example"),)
    assert len(reading.find("contacts", [token], ["email"])[0]) == reading.count("contacts", token)


def test_a_condition_that_all_lookups_share_is_asked_with_them(reading: HubSpotConnector) -> None:
    names = ["email", "firstname", "lifecyclestage"]
    records = [r for page in reading.everything("contacts", (), names) for r in page.records]
    wanted = [r for r in records if r.values["lifecyclestage"] == "lead"][:40]
    is_lead = Condition("lifecyclestage", Operator.EQUALS, "lead")
    has_address = Condition("email", Operator.CONTAINS_TOKEN, "*.example")
    queries = [
        (is_lead, Condition("firstname", Operator.EQUALS, str(r.values["firstname"])), has_address)
        for r in wanted
    ]
    found = reading.find("contacts", queries, names)
    for query, matches in zip(queries, found, strict=True):
        asked = str(query[1].value).lower()
        assert matches == [
            r
            for r in records
            if r.values["lifecyclestage"] == "lead"
            and str(r.values["firstname"]).lower() == asked
            and str(r.values["email"]).endswith(".example")
        ]
    assert reading.calls["search"] == 1


def test_a_unique_field_among_several_conditions_is_read_not_searched(
    reading: HubSpotConnector,
) -> None:
    records = [r for page in reading.everything("contacts", (), NAMES) for r in page.records]
    known = [record for record in records if record.values["email"]][:20]
    queries = [
        (
            Condition("lastname", Operator.NOT_EQUALS, "Nobody"),
            *equals("email", str(r.values["email"])),
            Condition("createdate", Operator.LESS_THAN, datetime(2100, 1, 1, tzinfo=UTC)),
        )
        for r in known
    ]
    found = reading.find("contacts", queries, NAMES)
    assert [[r.id for r in each] for each in found] == [[r.id] for r in known]
    assert reading.calls["search"] == 0


def test_many_long_values_stay_within_the_length_of_a_search(reading: HubSpotConnector) -> None:
    records = [r for page in reading.everything("contacts", (), NAMES) for r in page.records]
    known = [r for r in records if r.values["lastname"]][:100]
    queries = [
        (
            Condition("lastname", Operator.EQUALS, str(r.values["lastname"])),
            Condition("firstname", Operator.NOT_EQUALS, "n" * 400),
        )
        for r in known
    ]
    filler = [
        (Condition("lastname", Operator.EQUALS, f"{number:03}{'x' * 90}"), queries[0][1])
        for number in range(100)
    ]
    found = reading.find("contacts", [*queries, *filler], NAMES)
    assert all(r.id in {one.id for one in each} for r, each in zip(known, found, strict=False))
    assert not any(found[len(known) :])
    assert reading.calls["search"] <= 8


def test_a_range_leaves_room_for_all_conditions_and_pages_by_one_filter_more(
    reading: HubSpotConnector,
) -> None:
    assert reading.max_conditions == 3
    criteria = tuple(
        Condition(name, Operator.HAS_PROPERTY) for name in ("email", "firstname", "lastname")
    )
    (first, second) = reading.cut("contacts", criteria, 2)
    found = [
        ids_of(reading.everything("contacts", criteria, NAMES, "", one)) for one in (first, second)
    ]
    assert found[0]
    assert found[1]
    assert found[0] + found[1] == ids_of(reading.everything("contacts", criteria, NAMES))
    known = found[0]
    rest = reading.everything("contacts", criteria, NAMES, known[0], first)
    assert ids_of(rest) == known[1:], "a condition on the last id beside that on the range's end"
