"""The records of a new account, the same for the same seed number."""

import json
import random
import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any

from hubconnect.sandbox.account import Account
from hubconnect.sandbox.calculated import derive
from hubconnect.sandbox.catalog.associations import TYPES
from hubconnect.sandbox.catalog.contacts import LEAD_STATUS, LIFECYCLE
from hubconnect.sandbox.catalog.people import (
    CITIES,
    COMPANY_FIRST,
    COMPANY_SECOND,
    DEAL_SUBJECTS,
    FIRST_NAMES,
    JOB_TITLES,
    LAST_NAMES,
    OWNERS,
    TICKETS,
)
from hubconnect.sandbox.catalog.pipelines import PIPELINES
from hubconnect.sandbox.moments import DAY_MS, to_text

FIRST_ID = 1001
_SPAN_MS = 500 * DAY_MS
_CHUNK = 5000
_ACTIVE_OWNERS = [owner[0] for owner in OWNERS if owner[5]]

Values = dict[str, str]
Draft = tuple[Values, int]


class _Seeder:
    """Draws records and links them."""

    def __init__(self, db: sqlite3.Connection, account: Account, now: int) -> None:
        self.db = db
        self.account = account
        self.now = now
        # Deterministic on purpose; nothing here guards a secret.
        self.random = random.Random(account.options.seed)  # noqa: S311
        self.companies: list[Values] = []

    def store(self, kind: str, drafts: Iterator[Draft]) -> None:
        """Store drafts as records with consecutive ids."""
        schema = self.account.schema(self.db, kind)
        number = FIRST_ID
        while rows := self._rows(kind, drafts, number):
            self.db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, NULL, ?)", rows)
            number += len(rows)
        for name in schema.unique_names:
            self.db.execute(
                "INSERT INTO unique_value SELECT kind, ?, json_extract(properties, ?), id"
                " FROM record WHERE kind = ? AND json_extract(properties, ?) IS NOT NULL",
                (name, f"$.{name}", kind, f"$.{name}"),
            )

    def _rows(self, kind: str, drafts: Iterator[Draft], number: int) -> list[tuple[Any, ...]]:
        schema = self.account.schema(self.db, kind)
        created_property = schema.kind.created_property
        user_id = str(self.account.options.user_id)
        origin = {
            "hs_object_source": "CRM_UI",
            "hs_object_source_label": "CRM_UI",
            "hs_object_source_id": f"userId:{user_id}",
            "hs_object_source_user_id": user_id,
            "hs_created_by_user_id": user_id,
            "hs_updated_by_user_id": user_id,
        }
        rows: list[tuple[Any, ...]] = []
        for values, created in islice(drafts, _CHUNK):
            derived = derive(schema, {**values, created_property: to_text(created)}, {}, created)
            stored = {**values, **origin}
            stored |= {name: value for name, value in derived.items() if value is not None}
            record_id = number + len(rows)
            if kind == "contacts":
                stored |= {"hs_is_contact": "true", "hs_all_contact_vids": str(record_id)}
            modified = self.random.randint(created, self.now)
            rows.append((kind, record_id, created, modified, json.dumps(stored)))
        return rows

    def moment(self) -> int:
        """Draw a moment of the last months."""
        return self.now - self.random.randrange(DAY_MS, _SPAN_MS)

    def contacts(self, count: int) -> Iterator[Draft]:
        """Draw contacts, spread over the companies."""
        draw = self.random
        for number in range(count):
            first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
            company = self.companies[number % len(self.companies)] if self.companies else {}
            city, postal_code, country, code, dial = draw.choice(CITIES)
            domain = company.get("domain", "example.com")
            values = {
                "firstname": first,
                "lastname": last,
                "email": f"{first}.{last}{number + 1}@{domain}".lower(),
                "jobtitle": draw.choice(JOB_TITLES),
                "phone": f"{dial} 55501{number % 100:02d}",
                "city": city,
                "zip": postal_code,
                "country": country,
                "hs_country_region_code": code,
                "lifecyclestage": draw.choice(LIFECYCLE[:6])[0],
            }
            if company:
                values["company"] = company["name"]
                values["associatedcompanyid"] = str(FIRST_ID + number % len(self.companies))
            if draw.random() < 0.6:  # noqa: PLR2004 - a share
                values["hs_lead_status"] = draw.choice(LEAD_STATUS)[0]
                values["hubspot_owner_id"] = draw.choice(_ACTIVE_OWNERS)
            yield values, self.moment()

    def draw_companies(self, count: int) -> Iterator[Draft]:
        """Draw companies with names of their own."""
        draw = self.random
        for number in range(count):
            first = COMPANY_FIRST[number % len(COMPANY_FIRST)]
            second, industry = COMPANY_SECOND[(number * 7 + number // 40) % len(COMPANY_SECOND)]
            serial = "" if number < len(COMPANY_FIRST) * 3 else f" {number}"
            city, postal_code, country, code, dial = draw.choice(CITIES)
            name = f"{first} {second}{serial}"
            values = {
                "name": name,
                "domain": f"{name.lower().replace(' ', '-')}.example",
                "phone": f"{dial} 5550{number % 1000:03d}",
                "city": city,
                "zip": postal_code,
                "country": country,
                "hs_country_code": code,
                "industry": industry,
                "numberofemployees": str(draw.choice((8, 20, 45, 120, 300, 900))),
                "annualrevenue": str(draw.randrange(2, 400) * 100_000),
                "lifecyclestage": draw.choice(("lead", "opportunity", "customer")),
                "hubspot_owner_id": draw.choice(_ACTIVE_OWNERS),
            }
            self.companies.append(values)
            yield values, self.moment()

    def deals(self, count: int) -> Iterator[Draft]:
        """Draw deals in all stages of the default pipeline."""
        draw = self.random
        stages = PIPELINES["deals"][0][2]
        for number in range(count):
            subject = draw.choice(DEAL_SUBJECTS)
            name = self.companies[number % len(self.companies)]["name"] if self.companies else ""
            created = self.moment()
            stage_id, _, metadata = draw.choice(stages)
            days = draw.randrange(5, 120)
            closes = created + days * DAY_MS
            if metadata["isClosed"] == "true":
                closes = min(closes, self.now - DAY_MS)
            values = {
                "dealname": f"{name} - {subject}" if name else f"{subject} {number + 1}",
                "amount": str(draw.randrange(8, 900) * 100),
                "pipeline": "default",
                "dealstage": stage_id,
                "closedate": to_text(max(closes, created)),
                "dealtype": draw.choice(("newbusiness", "existingbusiness")),
                "deal_currency_code": self.account.options.currency,
                "hubspot_owner_id": draw.choice(_ACTIVE_OWNERS),
            }
            yield values, created

    def tickets(self, count: int) -> Iterator[Draft]:
        """Draw tickets of the support pipeline."""
        draw = self.random
        for number in range(count):
            subject, category = draw.choice(TICKETS)
            yield (
                {
                    "subject": f"{subject} (#{number + 1})",
                    "content": f"{subject}. Seen on several days; please have a look.",
                    "hs_pipeline": "0",
                    "hs_pipeline_stage": draw.choice("1234"),
                    "hs_ticket_priority": draw.choice(("LOW", "MEDIUM", "HIGH")),
                    "hs_ticket_category": category,
                    "source_type": draw.choice(("EMAIL", "FORM", "PHONE")),
                    "hubspot_owner_id": draw.choice(_ACTIVE_OWNERS),
                    "hs_ticket_id": str(FIRST_ID + number),
                },
                self.moment(),
            )

    def link(
        self, kind: str, count: int, other: str, other_count: int, type_ids: list[int]
    ) -> None:
        """Link each record of one type with one of another, going round."""
        if not other_count:
            return
        rows = []
        for number in range(count):
            one, two = FIRST_ID + number, FIRST_ID + number % other_count
            for type_id in type_ids:
                found = TYPES[type_id]
                rows.append((kind, one, other, two, type_id))
                rows.append((other, two, kind, one, found.inverse_id))
        self.db.executemany("INSERT OR IGNORE INTO association VALUES (?, ?, ?, ?, ?)", rows)


def seed_records(db: sqlite3.Connection, account: Account, now: int) -> None:
    """Store the records of a new account and link them."""
    options = account.options
    seeder = _Seeder(db, account, now)
    seeder.store("companies", seeder.draw_companies(options.companies))
    seeder.store("contacts", seeder.contacts(options.contacts))
    seeder.store("deals", seeder.deals(options.deals))
    seeder.store("tickets", seeder.tickets(options.tickets))
    seeder.link("contacts", options.contacts, "companies", options.companies, [1, 279])
    seeder.link("deals", options.deals, "companies", options.companies, [5, 341])
    seeder.link("deals", options.deals, "contacts", options.contacts, [3])
    seeder.link("tickets", options.tickets, "contacts", options.contacts, [16])
    seeder.link("tickets", options.tickets, "companies", options.companies, [26, 339])
