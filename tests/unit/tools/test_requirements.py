"""Every statement of docs/requirements.toml has a test, and the page made of both is current."""

from tools import requirements


def test_every_statement_has_a_test() -> None:
    assert requirements.unproved(requirements.collect()) == []


def test_the_page_is_what_make_requirements_writes() -> None:
    assert requirements.PAGE.read_text() == requirements.render(requirements.collect())


def test_the_numbers_are_complete_and_in_order() -> None:
    numbers = [one.number for part in requirements.read_sections() for one in part.statements]

    assert numbers == [f"S{number}" for number in range(1, 130)]


def test_a_statement_without_a_test_is_told() -> None:
    lone = requirements.Statement("S1", "Something is so.")
    section = requirements.Section("Part", [lone])

    assert requirements.unproved([section]) == ["S1"]
    assert "no test yet" in requirements.render([section])
