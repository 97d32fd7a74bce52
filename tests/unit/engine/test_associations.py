"""Which links between records are made, ended, left or waited for."""

from collections.abc import Collection, Mapping

from hypothesis import given, strategies as st

from hubconnect.engine.associations import Agreed, AssociationPlan, plan_associations
from hubconnect.engine.children import AssociationFlow

COMPANY = AssociationFlow(
    source="HUBSPOT_DEFINED:279",
    source_to="companies",
    target="column:firm_id",
    target_to="firms",
)


def plan(
    held: Collection[str],
    *,
    agreed: Collection[Agreed] = (),
    known: Mapping[str, str] | None = None,
    flow: AssociationFlow = COMPANY,
    is_single: bool = False,
) -> AssociationPlan:
    counterparts = {"1": "f1", "2": "f2", "10": "f10"} if known is None else known
    return plan_associations(
        (flow,),
        lambda _: held,
        agreed,
        lambda _, far_id: counterparts.get(far_id, ""),
        {flow.target} if is_single else set(),
    )


def test_a_new_link_is_made_with_the_counterpart_of_its_far_record() -> None:
    assert plan({"1"}).add == [Agreed(COMPANY, "1", "f1")]


def test_what_was_agreed_on_is_not_made_again() -> None:
    made = plan({"1"}, agreed=[Agreed(COMPANY, "1", "f1")])

    assert made == AssociationPlan()


def test_a_link_to_a_record_without_counterpart_is_missing() -> None:
    made = plan({"7"})

    assert made.missing == [(COMPANY, "7")]
    assert not made.add


def test_a_link_that_is_gone_is_ended() -> None:
    gone = Agreed(COMPANY, "1", "f1")

    assert plan((), agreed=[gone]).end == [gone]


def test_a_link_that_goes_on_under_another_id_is_not_ended() -> None:
    gone = Agreed(COMPANY, "1", "f1")

    made = plan({"3"}, agreed=[gone], known={"3": "f1"})

    assert made.add == [Agreed(COMPANY, "3", "f1")]
    assert (made.end, made.forget) == ([], [gone])


def test_a_link_that_is_gone_stays_agreed_on_where_removals_are_not_carried() -> None:
    flow = AssociationFlow(
        source="a", source_to="companies", target="b", target_to="firms", carries_removal=False
    )
    made = plan((), agreed=[Agreed(flow, "1", "f1")], flow=flow)

    assert made == AssociationPlan()


def test_a_column_that_holds_one_link_is_overwritten_instead_of_emptied_first() -> None:
    old = Agreed(COMPANY, "1", "f1")
    made = plan({"2"}, agreed=[old], is_single=True)

    assert made.add == [Agreed(COMPANY, "2", "f2")]
    assert made.forget == [old]
    assert not made.end


def test_of_several_links_a_column_keeps_the_one_it_holds() -> None:
    made = plan({"1", "2"}, agreed=[Agreed(COMPANY, "2", "f2")], is_single=True)

    assert not made.add
    assert made.left_out == [(COMPANY, "1")]


def test_of_several_new_links_a_column_takes_the_lowest_number() -> None:
    assert plan({"10", "2"}, is_single=True).add == [Agreed(COMPANY, "2", "f2")]


WITH_DEFAULT = AssociationFlow(
    source="HUBSPOT_DEFINED:279",
    source_to="companies",
    target="column:firm_id",
    target_to="firms",
    default="f99",
)


def test_a_default_stands_in_while_the_source_names_none() -> None:
    made = plan((), flow=WITH_DEFAULT)
    assert made.add == [Agreed(WITH_DEFAULT, "", "f99")]

    assert plan((), flow=WITH_DEFAULT, agreed=made.add) == AssociationPlan()


def test_a_link_of_the_source_goes_before_the_default() -> None:
    default = Agreed(WITH_DEFAULT, "", "f99")
    made = plan({"1"}, flow=WITH_DEFAULT, agreed=[default])

    assert made.add == [Agreed(WITH_DEFAULT, "1", "f1")]
    assert made.end == [default]


ids = st.sets(st.sampled_from(["1", "2", "10", "7"]))


@given(held=ids, before=ids.map(lambda found: found - {"7"}), is_single=st.booleans())
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    held: set[str], before: set[str], *, is_single: bool
) -> None:
    known = {"1": "f1", "2": "f2", "10": "f10"}
    if is_single:
        before = set(sorted(before)[:1])
    agreed = [Agreed(COMPANY, each, known[each]) for each in sorted(before)]
    first = plan(held, agreed=agreed, known=known, is_single=is_single)
    now = [each for each in agreed if each not in (*first.end, *first.forget)] + first.add
    second = plan(held, agreed=now, known=known, is_single=is_single)

    assert not second.add
    assert not second.end
    assert not second.forget
    assert {each.source_to for each in now} <= held
