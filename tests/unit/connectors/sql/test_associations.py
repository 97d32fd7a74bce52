from collections.abc import Sequence
from decimal import Decimal

import pytest

from hubconnect.connectors.base import Capability, Draft, NewAssociation, Value
from hubconnect.connectors.children import Association, AssociationType
from hubconnect.connectors.errors import AttentionError, Category, ParameterInvalidError
from hubconnect.connectors.sql.connector import SQLConnector
from tests.unit.connectors.sql.conftest import Bench

SHOP = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE tags (code VARCHAR(20) PRIMARY KEY)",
    """CREATE TABLE orders (
        id INTEGER PRIMARY KEY,
        customer_id INTEGER NOT NULL REFERENCES customers (id),
        billed_to INTEGER REFERENCES customers (id),
        parent_id INTEGER REFERENCES orders (id),
        title TEXT,
        updated_at TIMESTAMP
    )""",
    """CREATE TABLE order_tags (
        order_id INTEGER NOT NULL REFERENCES orders (id),
        tag_code VARCHAR(20) NOT NULL REFERENCES tags (code),
        updated_at TIMESTAMP,
        PRIMARY KEY (order_id, tag_code)
    )""",
    """CREATE TABLE friends (
        a INTEGER NOT NULL REFERENCES customers (id), b INTEGER NOT NULL REFERENCES customers (id)
    )""",
    "INSERT INTO customers (id, name) VALUES (1, 'One'), (2, 'Two'), (3, 'Three')",
    "INSERT INTO tags VALUES ('red'), ('dark, blue')",
    """INSERT INTO orders (id, customer_id, billed_to, title, updated_at) VALUES
        (10, 1, NULL, 'Ten', '2020-01-01 00:00:00'), (11, 1, 2, 'Eleven', '2020-01-01 00:00:00'),
        (12, 2, 2, 'Twelve', '2020-01-01 00:00:00')""",
    "INSERT INTO order_tags (order_id, tag_code) VALUES (10, 'red'), (10, 'dark, blue')",
)


@pytest.fixture
def shop(bench: Bench) -> SQLConnector:
    bench.run(*SHOP)
    return bench.open_prepared(modified_column="updated_at")


def types_of(connector: SQLConnector, object_type: str) -> dict[str, AssociationType]:
    return {one.name: one for one in connector.associating.association_types(object_type)}


def far_ids(
    connector: SQLConnector, object_type: str, record_ids: Sequence[str], name: str
) -> dict[str, set[str]]:
    found = connector.associating.associations(object_type, record_ids, [name])
    return {one: {link.to_id for link in links} for one, links in found.items()}


# --- Kinds -------------------------------------------------------------------------------------


def test_foreign_keys_are_associations_seen_from_both_ends(shop: SQLConnector) -> None:
    orders, customers = types_of(shop, "orders"), types_of(shop, "customers")

    assert {name: (one.to_type, one.is_many, one.is_required) for name, one in orders.items()} == {
        "column:customer_id": ("customers", False, True),
        "column:billed_to": ("customers", False, False),
        "column:parent_id": ("orders", False, False),
        "referenced:orders.parent_id": ("orders", True, False),
        "join:order_tags.tag_code": ("tags", True, False),
    }
    assert {name: (one.to_type, one.is_many) for name, one in customers.items()} == {
        "referenced:orders.customer_id": ("orders", True),
        "referenced:orders.billed_to": ("orders", True),
        "join:friends.a": ("customers", True),
        "join:friends.b": ("customers", True),
    }
    assert types_of(shop, "tags")["join:order_tags.order_id"].to_type == "orders"
    assert orders["column:billed_to"].label == "Billed to"
    assert all(one.can_write for one in (*orders.values(), *customers.values()))


def test_tables_without_foreign_keys_say_so(bench: Bench) -> None:
    bench.run("CREATE TABLE lonely (id INTEGER PRIMARY KEY)")
    (described,) = bench.open_prepared().object_types()

    assert Capability.ASSOCIATIONS not in described.capabilities
    assert "foreign key" in described.why_not[Capability.ASSOCIATIONS]


def test_a_table_with_more_to_say_is_no_joining_table(bench: Bench) -> None:
    bench.run(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY)",
        "CREATE TABLE goods (id INTEGER PRIMARY KEY)",
        """CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id),
           good_id INTEGER REFERENCES goods (id), pieces INTEGER NOT NULL)""",
    )
    assert set(types_of(bench.open(), "orders")) == {"referenced:lines.order_id"}


def test_joining_tables_are_not_reported_as_useless(shop: SQLConnector) -> None:
    report = shop.check()

    assert not [one for one in report.remarks if "friends" in one.message and "key" in one.message]
    assert dict(report.facts)["Foreign keys"] == "7"


def test_an_unknown_kind_needs_attention(shop: SQLConnector) -> None:
    with pytest.raises(AttentionError, match="column:gone"):
        shop.associating.associations("orders", ["10"], ["column:gone"])


# --- Reading -----------------------------------------------------------------------------------


def test_links_are_read_from_every_side(shop: SQLConnector) -> None:
    orders = ["10", "11", "12", "99"]

    assert far_ids(shop, "orders", orders, "column:billed_to") == {
        "10": set(),
        "11": {"2"},
        "12": {"2"},
        "99": set(),
    }
    assert far_ids(shop, "customers", ["1", "3"], "referenced:orders.customer_id") == {
        "1": {"10", "11"},
        "3": set(),
    }
    assert far_ids(shop, "orders", ["10"], "join:order_tags.tag_code") == {
        "10": {"red", "dark, blue"}
    }
    assert far_ids(shop, "tags", ["dark, blue"], "join:order_tags.order_id") == {
        "dark, blue": {"10"}
    }


def test_a_thousand_records_cost_a_few_statements(shop: SQLConnector) -> None:
    shop.associating.association_types("orders")
    before = shop.calls["select"]
    ids = [str(number) for number in range(1000)]
    shop.associating.associations("orders", ids, ["column:customer_id", "join:order_tags.tag_code"])

    assert shop.calls["select"] - before == 4


# --- Writing -----------------------------------------------------------------------------------


def test_a_column_is_set_and_emptied(shop: SQLConnector) -> None:
    link = Association("10", "column:billed_to", "3")
    before = shop.now()
    (made,) = shop.associating.associate("orders", [link])
    changed = shop.read("orders", ["10"], ["billed_to"])["10"]
    (again,) = shop.associating.associate("orders", [link])
    same = shop.read("orders", ["10"], ["billed_to"])["10"]
    (ended,) = shop.associating.dissociate("orders", [link])
    (ended_again,) = shop.associating.dissociate("orders", [link])

    assert (made.key, made.id, again.id) == (link.key, "3", "3")
    assert changed.modified_at is not None
    assert changed.modified_at >= before.replace(microsecond=0)
    assert same.version == changed.version
    assert ended.id == ended_again.id == "3"
    assert far_ids(shop, "orders", ["10"], "column:billed_to") == {"10": set()}


def test_a_new_link_of_a_column_replaces_the_old_one(shop: SQLConnector) -> None:
    shop.associating.associate("orders", [Association("11", "column:billed_to", "3")])
    old = Association("11", "column:billed_to", "2")
    (outcome,) = shop.associating.dissociate("orders", [old])

    assert outcome.id
    assert far_ids(shop, "orders", ["11"], "column:billed_to") == {"11": {"3"}}


def test_a_column_that_may_not_be_empty_keeps_its_link(shop: SQLConnector) -> None:
    kept = Association("10", "column:customer_id", "1")
    seen_from_there = Association("1", "referenced:orders.customer_id", "10")
    none = Association("10", "column:customer_id", "3")
    first, other = shop.associating.dissociate("orders", [kept, none])
    (there,) = shop.associating.dissociate("customers", [seen_from_there])
    outcomes = {one.key: one for one in (first, other, there)}

    assert outcomes[none.key].id
    for link in (kept, seen_from_there):
        error = outcomes[link.key].error
        assert error is not None
        assert error.faults[0].field == "customer_id"
        assert "may not be empty" in error.message


def test_rows_that_refer_here_are_pointed_here(shop: SQLConnector) -> None:
    links = [Association("3", "referenced:orders.billed_to", one) for one in ("10", "11")]
    made = shop.associating.associate("customers", links)
    assert all(one.id for one in made)
    assert far_ids(shop, "customers", ["3", "2"], "referenced:orders.billed_to") == {
        "3": {"10", "11"},
        "2": {"12"},
    }
    shop.associating.dissociate("customers", links[:1])
    assert far_ids(shop, "customers", ["3"], "referenced:orders.billed_to") == {"3": {"11"}}


def test_a_record_refers_to_one_of_its_own_table(shop: SQLConnector) -> None:
    shop.associating.associate("orders", [Association("11", "column:parent_id", "10")])
    assert far_ids(shop, "orders", ["10"], "referenced:orders.parent_id") == {"10": {"11"}}


def test_joins_are_made_once_and_ended_from_either_side(shop: SQLConnector) -> None:
    links = [Association("11", "join:order_tags.tag_code", one) for one in ("red", "dark, blue")]
    first = shop.associating.associate("orders", [*links, links[0]])
    second = shop.associating.associate("orders", links)
    assert {one.key: one.id for one in first} == {one.key: one.id for one in second}
    assert shop.count("order_tags") == 4
    back = Association("red", "join:order_tags.order_id", "11")
    ended = shop.associating.dissociate("tags", [back, Association("red", back.type, "99")])
    assert all(one.id for one in ended)
    assert far_ids(shop, "orders", ["11"], "join:order_tags.tag_code") == {"11": {"dark, blue"}}


def test_joins_without_a_key_of_their_own(shop: SQLConnector) -> None:
    link = Association("1", "join:friends.b", "2")
    shop.associating.associate("customers", [link])
    shop.associating.associate("customers", [link])

    assert far_ids(shop, "customers", ["1"], "join:friends.b") == {"1": {"2"}}
    assert far_ids(shop, "customers", ["2"], "join:friends.a") == {"2": {"1"}}
    shop.associating.dissociate("customers", [Association("2", "join:friends.a", "1")])
    assert far_ids(shop, "customers", ["1"], "join:friends.b") == {"1": set()}


def test_one_missing_end_does_not_hold_up_the_others(shop: SQLConnector) -> None:
    good = Association("10", "column:billed_to", "1")
    far = Association("11", "column:billed_to", "77")
    near = Association("98", "column:billed_to", "1")
    odd = Association("11", "join:order_tags.tag_code", "green")
    outcomes = {
        one.key: one for one in shop.associating.associate("orders", [good, far, near, odd])
    }
    assert outcomes[good.key].id == "1"
    assert outcomes[near.key].is_gone
    for link in (far, odd):
        error = outcomes[link.key].error
        assert error is not None
        assert error.category is Category.TARGET_DELETED
        assert link.to_id in error.message


# --- Keys of several columns, and keys the database does not declare ---------------------------


def test_composite_keys(bench: Bench) -> None:
    bench.run(
        "CREATE TABLE depots (land VARCHAR(2), code VARCHAR(9), PRIMARY KEY (land, code))",
        """CREATE TABLE parcels (id INTEGER PRIMARY KEY, depot_code VARCHAR(9),
           depot_land VARCHAR(2),
           FOREIGN KEY (depot_code, depot_land) REFERENCES depots (code, land))""",
        "INSERT INTO depots VALUES ('DE', 'a,b'), ('AT', 'x')",
        "INSERT INTO parcels VALUES (1, 'a,b', 'DE'), (2, NULL, NULL)",
    )
    connector = bench.open_prepared()
    (name,) = types_of(connector, "parcels")
    link = Association("2", name, "AT,x")
    (made,) = connector.associating.associate("parcels", [link])

    assert made.id == "AT,x"
    assert far_ids(connector, "parcels", ["1", "2"], name) == {"1": {"DE,a\\,b"}, "2": {"AT,x"}}
    (referenced,) = types_of(connector, "depots")
    assert far_ids(connector, "depots", ["DE,a\\,b"], referenced) == {"DE,a\\,b": {"1"}}
    connector.associating.dissociate("parcels", [link])
    assert far_ids(connector, "parcels", ["2"], name) == {"2": set()}


def test_foreign_keys_that_only_the_settings_know(bench: Bench) -> None:
    bench.run(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER)",
        "INSERT INTO customers VALUES (1)",
        "INSERT INTO orders VALUES (5, 1)",
    )
    connector = bench.open_prepared(
        foreign_keys="orders.customer = customers\norders.nothing = customers\nx.y -> customers"
    )
    remarks = [one for one in connector.check().remarks if one.parameter == "foreign_keys"]
    (bad,) = connector.associating.associate("orders", [Association("5", "column:customer", "9")])

    assert far_ids(connector, "customers", ["1"], "referenced:orders.customer") == {"1": {"5"}}
    assert bad.error is not None
    assert [one.is_error for one in remarks] == [True, True]
    assert "only id, customer" in remarks[0].message
    assert "no table x" in remarks[1].message


def test_a_line_that_names_no_foreign_key_is_refused() -> None:
    (parameter,) = [one for one in SQLConnector.parameters if one.name == "foreign_keys"]
    assert parameter.cleaned("a.b = c\n\nd.e → f") == "a.b = c\n\nd.e → f"
    with pytest.raises(ParameterInvalidError, match="customers belongs"):
        parameter.cleaned("customers belongs to orders")


# --- Creates -----------------------------------------------------------------------------------


def test_records_are_created_with_their_links(shop: SQLConnector) -> None:
    links = (
        NewAssociation("column:customer_id", "3"),
        NewAssociation("join:order_tags.tag_code", "red"),
        NewAssociation("referenced:orders.parent_id", "11"),
    )
    values: dict[str, Value] = {"title": "New"}
    if not shop.fields("orders")[0].has_default:  # PostgreSQL gives no key without a sequence
        values["id"] = Decimal(50)
    draft = Draft("k", values, links)
    (made,) = shop.create("orders", [draft])
    (again,) = shop.create("orders", [draft])

    assert made.error is None
    assert made.id == again.id
    assert far_ids(shop, "orders", [made.id], "column:customer_id") == {made.id: {"3"}}
    assert far_ids(shop, "orders", [made.id], "join:order_tags.tag_code") == {made.id: {"red"}}
    assert far_ids(shop, "orders", ["11"], "column:parent_id") == {"11": {made.id}}


def test_a_record_is_not_created_without_the_record_it_links_to(shop: SQLConnector) -> None:
    bad = Draft("bad", {"title": "New"}, (NewAssociation("column:customer_id", "77"),))
    outcomes = shop.create("orders", [bad])

    assert [one.key for one in outcomes] == ["bad"]
    assert outcomes[0].error is not None
    assert outcomes[0].error.category is Category.TARGET_DELETED
    assert shop.count("orders") == 3
