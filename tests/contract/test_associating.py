import pytest

from hubconnect.connectors.base import Capability
from hubconnect.connectors.children import Associating, Association
from tests.contract.subject import LinkPlayer, Subject


@pytest.fixture
def player(subject: Subject) -> LinkPlayer:
    if subject.links is None:
        assert subject.connector.associating is None
        pytest.skip("This connector has no associations.")
    return subject.links


@pytest.fixture
def associating(subject: Subject, player: LinkPlayer) -> Associating:  # noqa: ARG001 - skips first
    offered = subject.connector.associating
    assert offered is not None
    return offered


def linked(associating: Associating, player: LinkPlayer, near: list[str]) -> dict[str, set[str]]:
    found = associating.associations(player.object_type, near, [player.type])
    return {record_id: {one.to_id for one in links} for record_id, links in found.items()}


def test_the_object_type_says_that_it_has_associations(
    subject: Subject, player: LinkPlayer
) -> None:
    (described,) = [
        one for one in subject.connector.object_types() if one.name == player.object_type
    ]

    assert Capability.ASSOCIATIONS in described.capabilities


def test_association_types_are_described(associating: Associating, player: LinkPlayer) -> None:
    types = associating.association_types(player.object_type)
    (chosen,) = [one for one in types if one.name == player.type]

    assert len({one.name for one in types}) == len(types)
    assert chosen.label
    assert chosen.to_type
    assert chosen.can_write


def test_a_record_without_links_has_an_empty_set(
    associating: Associating, player: LinkPlayer
) -> None:
    near = player.make_near(2)

    assert linked(associating, player, near) == {one: set() for one in near}


def test_what_a_user_links_and_unlinks_is_read(
    associating: Associating, player: LinkPlayer
) -> None:
    near, far = player.make_near(3), player.make_far(2)
    player.link(near[0], far[0])
    player.link(near[1], far[0])
    player.link(near[2], far[1])
    player.unlink(near[1], far[0])

    assert linked(associating, player, near) == {
        near[0]: {far[0]},
        near[1]: set(),
        near[2]: {far[1]},
    }


def test_links_are_made(associating: Associating, player: LinkPlayer) -> None:
    near, far = player.make_near(3), player.make_far(3)
    links = [Association(one, player.type, other) for one, other in zip(near, far, strict=True)]
    outcomes = {one.key: one for one in associating.associate(player.object_type, links)}

    assert all(outcomes[link.key].id for link in links)
    assert linked(associating, player, near) == {
        one: {other} for one, other in zip(near, far, strict=True)
    }


def test_a_link_made_twice_is_one_link(associating: Associating, player: LinkPlayer) -> None:
    (near,), (far,) = player.make_near(1), player.make_far(1)
    link = Association(near, player.type, far)
    for _ in range(2):
        (outcome,) = associating.associate(player.object_type, [link])
        assert outcome.id

    assert linked(associating, player, [near]) == {near: {far}}


def test_a_link_ended_twice_is_ended(associating: Associating, player: LinkPlayer) -> None:
    (near,), (far,) = player.make_near(1), player.make_far(1)
    player.link(near, far)
    link = Association(near, player.type, far)
    for _ in range(2):
        (outcome,) = associating.dissociate(player.object_type, [link])
        assert outcome.id

    assert linked(associating, player, [near]) == {near: set()}


def test_ending_a_link_leaves_that_of_another_record(
    associating: Associating, player: LinkPlayer
) -> None:
    near, far = player.make_near(2), player.make_far(1)
    for one in near:
        player.link(one, far[0])
    associating.dissociate(player.object_type, [Association(near[0], player.type, far[0])])

    assert linked(associating, player, near) == {near[0]: set(), near[1]: {far[0]}}


def test_one_missing_far_record_does_not_hold_up_the_others(
    associating: Associating, player: LinkPlayer
) -> None:
    near, far = player.make_near(2), player.make_far(1)
    good = Association(near[0], player.type, far[0])
    bad = Association(near[1], player.type, "987654321")
    outcomes = {one.key: one for one in associating.associate(player.object_type, [bad, good])}

    assert outcomes[good.key].id
    assert outcomes[bad.key].error is not None
    assert linked(associating, player, near) == {near[0]: {far[0]}, near[1]: set()}
