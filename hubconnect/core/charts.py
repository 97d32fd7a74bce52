"""Small charts as values: a template tag draws them as SVG, with a table of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import NamedTuple

COLUMN = 10  # widths in the drawing's own units; the drawing is stretched to its place
GAP = 2
HEIGHT = 100
TICKS = 4


class Bar(NamedTuple):
    """One rectangle: where it stands, its size as text for SVG, and its colour's class."""

    css: str
    x: str
    y: str
    width: str
    height: str


class Column(NamedTuple):
    """All bars over one label, and the sentence that says them."""

    says: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of number along the chart; ``css`` is b1, b2, b-bad or b-rest."""

    name: str
    values: Sequence[float]
    css: str = "b1"


@dataclass(frozen=True, slots=True)
class Plot:
    """Stacked bars over labels: ``series`` all have one number for each label.

    ``title`` says what the bars are and what stands out; ``marks`` are the labels written below.
    """

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    marks: Sequence[str] = ()

    @property
    def width(self) -> int:
        """Width of the drawing."""
        return COLUMN * max(len(self.labels), 1)

    @property
    def top(self) -> int:
        """The number at the upper edge: round, and not below the highest column."""
        return round_up(max((sum(column) for column in self._stacks()), default=0))

    @property
    def ticks(self) -> list[int | float]:
        """Numbers along the left edge, from the top down."""
        step = self.top / TICKS
        numbers = [self.top - step * n for n in range(TICKS + 1)]
        return [int(number) if number == int(number) else number for number in numbers]

    @property
    def lines(self) -> list[int]:
        """Heights of the horizontal lines."""
        return [HEIGHT * n // TICKS for n in range(TICKS + 1)]

    @property
    def columns(self) -> list[Column]:
        """The bars, column by column."""
        return [
            self._column(place, label, stack)
            for place, (label, stack) in enumerate(zip(self.labels, self._stacks(), strict=True))
        ]

    @property
    def rows(self) -> list[tuple[str, list[float]]]:
        """The same numbers as a table."""
        return list(zip(self.labels, map(list, self._stacks()), strict=True))

    def _stacks(self) -> list[tuple[float, ...]]:
        return list(zip(*(series.values for series in self.series), strict=True))

    def _column(self, place: int, label: str, stack: Sequence[float]) -> Column:
        bars, y = [], float(HEIGHT)
        x, width = str(place * COLUMN + GAP // 2), str(COLUMN - GAP)
        for series, value in zip(self.series, stack, strict=True):
            height = value * HEIGHT / self.top
            y -= height
            if value:
                bars.append(Bar(series.css, x, f"{y:.1f}", width, f"{height:.1f}"))
        said = (
            f"{value:,} {series.name.lower()}"
            for series, value in zip(self.series, stack, strict=True)
        )
        return Column(f"{label}: {', '.join(said)}", tuple(bars))


def round_up(number: float) -> int:
    """Give the next number, 4 at least, that four steps divide into round figures."""
    if number <= TICKS:
        return TICKS
    unit: int = 10 ** floor(log10(number))
    for factor in (1, 2, 4, 6, 8, 10):
        if factor * unit >= number and factor * unit % TICKS == 0:
            return factor * unit
    return max(unit * 10, TICKS)


def spark_bars(numbers: Sequence[float], failed: Sequence[float] = ()) -> list[Bar]:
    """Lay out a bar for each number, 20 high; those with a number in ``failed`` are red."""
    highest = max(numbers, default=0) or 1
    bars = []
    for place, number in enumerate(numbers):
        height = max(round(number * 20 / highest), 1)
        bad = place < len(failed) and failed[place] > 0
        css = "b-bad" if bad else "b1" if number else "b-rest"
        bars.append(Bar(css, str(place * 4), str(20 - height), "3", str(height)))
    return bars
