"""The associations API ("Associate records", "Associations schema"): types, reading, batches."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.account import Shelf
from hubconnect.connectors.hubspot.api import HubSpotApi, Json, entries, results
from hubconnect.connectors.hubspot.errors import BAD_REQUEST, Envelope, read_envelope

# "Usage guidelines and limits", section on associations.
MAX_READ = 1_000
MAX_WRITE = 2_000
PRIMARY = "primary"


@dataclass(frozen=True, slots=True)
class LinkType:
    """An association type. ``label`` is "" for the plain one."""

    category: str
    type_id: int
    label: str = ""

    @property
    def name(self) -> str:
        """Return its name outside of this connector."""
        return f"{self.category}:{self.type_id}"

    @property
    def spec(self) -> Json:
        """Return it as requests name it."""
        return {"associationCategory": self.category, "associationTypeId": self.type_id}

    @property
    def is_primary(self) -> bool:
        """Tell whether it marks one link among several."""
        return self.category == "HUBSPOT_DEFINED" and self.label.casefold() == PRIMARY


def read_type(data: Mapping[str, object]) -> LinkType:
    """Return an association type of an answer."""
    return LinkType(
        str(data.get("category") or ""),
        int(str(data.get("typeId") or 0)),
        str(data.get("label") or ""),
    )


# The far ends of a record's links, by id, with the types of each.
Ends = dict[str, list[LinkType]]


class Links:
    """Reads and writes associations between object types, named as in paths."""

    def __init__(self, api: HubSpotApi, shelf: Shelf, key: Callable[..., str]) -> None:
        """Keep all.

        Args:
            api: the calls.
            shelf: keeps association types.
            key: makes the name of a text on the shelf.
        """
        self._api = api
        self._shelf = shelf
        self._key = key

    def types(self, from_type: str, to_type: str) -> list[LinkType]:
        """Return the types that lead from one object type to another, plain ones first."""

        def make() -> str:
            answer = self._api.association_labels(from_type, to_type)
            found = [] if answer.status >= BAD_REQUEST else results(answer)
            return json.dumps(
                [[each.get(k) for k in ("category", "typeId", "label")] for each in found]
            )

        kept = json.loads(self._shelf.get(self._key("labels", from_type, to_type), make))
        found = [LinkType(str(each[0]), int(each[1]), str(each[2] or "")) for each in kept]
        return sorted(found, key=lambda one: (bool(one.label), one.type_id))

    def forget_types(self, from_type: str, to_type: str) -> None:
        """Have the types read anew."""
        self._shelf.forget(self._key("labels", from_type, to_type))

    def plain_type(self, from_type: str, to_type: str) -> LinkType | None:
        """Return the type without a label, or None where HubSpot cannot link the two."""
        return next((one for one in self.types(from_type, to_type) if not one.label), None)

    def read(self, from_type: str, to_type: str, ids: Sequence[str]) -> dict[str, Ends]:
        """Return what each record is linked with: complete, empty where there is nothing."""
        found: dict[str, Ends] = {each: {} for each in ids}
        inputs: list[Json] = [{"id": each} for each in found]
        while inputs:
            part, inputs = inputs[:MAX_READ], inputs[MAX_READ:]
            for entry in results(self._api.read_associations(from_type, to_type, part)):
                record_id = str((entry.get("from") or {}).get("id", ""))
                ends = found.setdefault(record_id, {})
                for end in entry.get("to") or ():
                    types = [read_type(each) for each in end.get("associationTypes") or ()]
                    ends.setdefault(str(end.get("toObjectId")), []).extend(types)
                after = after_of(entry)
                if after:
                    inputs.append({"id": record_id, "after": after})
        return found

    def write(
        self, from_type: str, to_type: str, action: str, inputs: Sequence[Json]
    ) -> Iterator[tuple[Json, Envelope | None]]:
        """Send links; yield each input that was answered for, with its error if it was refused.

        A batch refused as a whole is taken apart until the bad inputs are found. An input that
        the answer passes over is not yielded.

        Args:
            from_type: object type of the near ends.
            to_type: object type of the far ends.
            action: ``create`` or ``labels/archive``.
            inputs: with ``from``, ``to`` and ``types``; a pair of records stands in one of them.
        """
        batches = [list(inputs[at : at + MAX_WRITE]) for at in range(0, len(inputs), MAX_WRITE)]
        while batches:
            batch = batches.pop(0)
            answer = self._api.write_associations(from_type, to_type, action, batch)
            if answer.status >= BAD_REQUEST:
                envelope = read_envelope(answer.data)
                if len(batch) == 1:
                    yield batch[0], envelope
                    continue
                middle = len(batch) // 2
                batches[:0] = [batch[:middle], batch[middle:]]
                continue
            yield from _judged(batch, answer)


def after_of(entry: Json) -> str:
    """Return where the links of one record go on, or ""."""
    following = (entry.get("paging") or {}).get("next") or {}
    return str(following.get("after") or "")


def ends_of(one: Json) -> tuple[str, str]:
    """Return the two records of an input."""
    return str(one["from"]["id"]), str(one["to"]["id"])


def _judged(batch: Sequence[Json], answer: Answer) -> Iterator[tuple[Json, Envelope | None]]:
    refused = {
        (envelope.first("fromObjectId"), envelope.first("toObjectId")): envelope
        for envelope in map(read_envelope, entries(answer, "errors"))
    }
    made = {
        (str(each.get("fromObjectId")), str(each.get("toObjectId")))
        for each in entries(answer, "results")
    }
    has_strays = not refused.keys() <= {ends_of(one) for one in batch}
    for one in batch:
        ends = ends_of(one)
        if ends in refused or ends in made or not has_strays:
            yield one, refused.get(ends)
