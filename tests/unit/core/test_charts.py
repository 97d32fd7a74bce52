"""Charts as values."""

from hypothesis import given, strategies as st

from hubconnect.core.charts import HEIGHT, Plot, Series, round_up, spark_bars

numbers = st.lists(st.integers(0, 10**7), min_size=1, max_size=48)


@given(st.floats(0, 10**12))
def test_the_top_is_not_below_the_highest_and_divides_into_four(number: float) -> None:
    top = round_up(number)
    assert top >= number
    assert top % 4 == 0
    assert top <= max(4, 10 * number)


@given(numbers)
def test_columns_fit_into_the_drawing_and_say_their_numbers(values: list[int]) -> None:
    labels = [f"{hour}:00" for hour in range(len(values))]
    plot = Plot("Carried", labels, [Series("Updated", values), Series("Failed", values, "b-bad")])
    assert [row for _, row in plot.rows] == [[value, value] for value in values]
    for column, value in zip(plot.columns, values, strict=True):
        assert f"{value:,} updated, {value:,} failed" in column.says
        assert all(-0.1 <= float(bar.y) <= HEIGHT for bar in column.bars)


def test_an_empty_chart_is_a_chart() -> None:
    plot = Plot("Carried", [], [])
    assert plot.columns == []
    assert plot.ticks == [4, 3, 2, 1, 0]


def test_small_bars_show_nothing_as_a_line_and_failures_in_red() -> None:
    bars = spark_bars([0, 5, 10], [0, 0, 1])
    assert [bar.css for bar in bars] == ["b-rest", "b1", "b-bad"]
    assert [bar.height for bar in bars] == ["1", "10", "20"]
