"""Two SQLite databases kept the same: what runs do without waiting for HubSpot's clock."""

from dataclasses import dataclass, field
from pathlib import Path

from hubconnect.integrations.models import Flow, Integration, Pair
from hubconnect.mappings.models import Direction, FieldMapping, Mapping as MappingRow
from tests.house import BY_EMAIL, Desk, Running, make_desk

# Each side refuses a last name of its own: "bad" is refused on the right, "evil" on the left.
PEOPLE = """
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(30),
    last_name varchar(100) check (last_name <> '{refused}'),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create trigger customers_touch after update on customers when new.updated_at is old.updated_at
begin
    update customers set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
"""
ROWS = ("email", "first_name", "last_name")


@dataclass
class TwoDesks(Running):
    """Customers of one desk ↔ customers of another."""

    left: Desk
    right: Desk
    mapping: MappingRow
    integration: Integration
    flows: dict[str, Flow] = field(default_factory=dict)

    def flow(self, name: str) -> Flow:
        """Return a flow as it stands now."""
        return Flow.objects.get(pk=self.flows[name].pk)

    def rename(self, desk: Desk, email: str, **names: str) -> None:
        """Change names of a customer."""
        sets = ", ".join(f"{name} = ?" for name in names)
        desk.run(f"update customers set {sets} where email = ?", *names.values(), email)

    def id_of(self, desk: Desk, email: str) -> str:
        """Return the id of a customer."""
        return str(desk.run("select id from customers where email = ?", email)[0][0])


def furnish_desks(folder: Path) -> TwoDesks:
    """Set two systems, a mapping and an integration up, inactive; the desks are empty."""
    left, right = Desk(folder / "left.sqlite3"), Desk(folder / "right.sqlite3")
    left.script(PEOPLE.format(refused="evil"))
    right.script(PEOPLE.format(refused="bad"))
    here, there = make_desk(left.file, "Left desk"), make_desk(right.file, "Right desk")
    mapping = MappingRow.objects.create(
        name="Customers",
        left_system=here,
        left_type="customers",
        right_system=there,
        right_type="customers",
    )
    for position, name in enumerate(ROWS):
        FieldMapping.objects.create(
            mapping=mapping, position=position, left_field=name, right_field=name
        )
    return TwoDesks(left, right, mapping, *integrate(mapping, "Desks"))


def integrate(
    mapping: MappingRow, name: str, **options: str
) -> tuple[Integration, dict[str, Flow]]:
    """Put a mapping to work in an integration of its own, inactive."""
    integration = Integration.objects.create(
        name=name,
        left_system=mapping.left_system,
        right_system=mapping.right_system,
        interval_count=5,
        interval_unit=Integration.Unit.SECONDS,
    )
    pair = Pair.objects.create(integration=integration, mapping=mapping)
    flows = {
        direction.value: Flow.objects.create(
            pair=pair,
            direction=direction,
            **{"start": "everything", "lookup": BY_EMAIL, **options},
        )
        for direction in (Direction.TO_RIGHT, Direction.TO_LEFT)
    }
    return integration, flows
