"""CSV files that spreadsheets can open without running anything."""

import csv
import io
from collections.abc import Iterator

import pytest

from hubconnect.core.csv_export import csv_lines, csv_response, escaped


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+49 30 1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"],
)
def test_a_cell_that_begins_like_a_formula_is_text(cell: str) -> None:
    assert escaped(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "text"), [("plain", "plain"), ("a=b", "a=b"), (None, ""), (-5, "-5"), ("", "")]
)
def test_other_cells_stay_as_they_are(cell: object, text: str) -> None:
    assert escaped(cell) == text


def test_what_a_spreadsheet_reads_is_what_was_written() -> None:
    rows: list[list[object]] = [["Ana", 'says "hi", twice\nand more'], ["=cmd", -1]]
    text = "".join(csv_lines(["who", "what"], rows)).removeprefix("\ufeff")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["who", "what"], ["Ana", 'says "hi", twice\nand more'], ["'=cmd", "-1"]]


def test_rows_are_asked_for_one_by_one() -> None:
    asked = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            asked.append(number)
            yield [number]

    response = csv_response("numbers.csv", ["number"], rows())
    lines = iter(response)
    next(lines)
    assert asked == []
    next(lines)
    assert asked == [0]
