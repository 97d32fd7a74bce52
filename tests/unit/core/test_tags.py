"""Template tags, as pages use them."""

from datetime import UTC, datetime

from django import forms
from django.template import Context, Template

from hubconnect.core.charts import Plot, Series


def drawn(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


class Example(forms.Form):
    name = forms.CharField(help_text="How pages call it.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
    way = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    sure = forms.BooleanField(required=False, label="I am sure")
    key = forms.CharField(required=False, widget=forms.TextInput({"class": "input-mono"}))


def test_a_field_ties_help_and_error_to_its_control() -> None:
    html = drawn("{% field form.name %}", form=Example({}))
    assert 'aria-describedby="id_name-help id_name-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name-help"' in html
    assert "optional" not in html


def test_fields_look_as_their_kind_says() -> None:
    form = Example()
    assert 'class="textarea"' in drawn("{% field form.note %}", form=form)
    assert 'class="select"' in drawn("{% field form.kind %}", form=form)
    assert 'class="input input-mono"' in drawn("{% field form.key %}", form=form)
    assert '<span class="optional">optional</span>' in drawn("{% field form.note %}", form=form)
    assert drawn("{% field form.way %}", form=form).count('type="radio"') == 2
    assert "I am sure" in drawn("{% field form.sure %}", form=form)


def test_a_note_stands_below_the_control() -> None:
    html = drawn('{% field form.key note="Look again." %}', form=Example())
    assert 'aria-describedby="id_key-note"' in html
    assert "Look again." in html


def test_the_summary_counts_fields_and_links_them() -> None:
    form = Example({"name": "x", "kind": "z"})
    form.add_error(None, "Both cannot be.")
    html = drawn("{% error_summary form missing %}", form=form)
    assert "Not saved: 2 fields need a look" in html
    assert 'href="#id_kind"' in html
    assert "Both cannot be." in html
    assert drawn("{% error_summary form %}", form=Example()).strip() == ""


def test_the_summary_knows_forms_in_rows() -> None:
    rows = forms.formset_factory(Example, extra=0)
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-name": ""}
    html = drawn("{% error_summary rows %}", rows=rows(data))
    assert 'href="#id_form-0-name"' in html


def test_states_are_a_shape_a_word_and_a_colour() -> None:
    html = drawn('{% state "bad" "Signed out" %}')
    assert "is-bad" in html
    assert "#s-bad" in html
    assert "Signed out" in html


def test_times_show_the_exact_one_on_hover() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    html = drawn("{% ago moment %}{% ago nothing %}", moment=moment, nothing=None)
    assert 'datetime="2020-01-02T03:04:05+00:00"' in html
    assert 'title="Thu 2 Jan 2020, 03:04:05 UTC"' in html
    assert html.endswith("2 Jan 2020</time>–")


def test_charts_carry_their_numbers_as_text() -> None:
    plot = Plot("Carried per hour", ["9:00", "10:00"], [Series("Updated", [1200, 0])])
    html = drawn('{% plot plot "hourly" %}{% spark numbers "Carried" %}', plot=plot, numbers=[1, 2])
    assert "<title>9:00: 1,200 updated</title>" in html
    assert '<td class="n zero">0</td>' in html
    assert "<title>Carried</title>" in html


def test_crumbs_link_all_but_the_last() -> None:
    html = drawn('{% crumbs "Systems" "/systems/" last %}', last="<Add>")
    assert '<a href="/systems/">Systems</a>' in html
    assert "<li>&lt;Add&gt;</li>" in html


def test_what_people_wrote_is_escaped() -> None:
    assert "&lt;b&gt;" in drawn("{% state 'ok' word %}", word="<b>")
