"""Why a record was synced or not: questions in order, the first "no" is the answer."""

from dataclasses import dataclass, field, replace

from django.urls import reverse
from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.core import wording
from hubconnect.engine.criteria import describe
from hubconnect.engine.matching import matches
from hubconnect.engine.plan import LinkState, is_echo
from hubconnect.engine.values import show
from hubconnect.integrations.models import Decision, Failure, Flow, Intent, QueuedRead
from hubconnect.integrations.services.choosing import awaits_settling, still_holds
from hubconnect.integrations.services.completing import complete_creates
from hubconnect.integrations.services.plan_lines import Line, lines_of
from hubconnect.integrations.services.planning import make_plans, note_skipped
from hubconnect.integrations.services.session import Candidates, Result, Session
from hubconnect.integrations.stores import decisions, open_failures, open_intents

OK, NO, WAIT, IDLE = "ok", "warn", "wait", "idle"


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its answer: ``ok`` yes, ``warn`` or ``bad`` no, ``wait`` not yet, ``idle``.

    Attributes:
        text: the question as a statement that holds or does not.
        found: what was found, in a few words.
        url: where one sees it.
        headline: for a "no", the answer of all in a sentence.
        more: for a "no", what it means and what to do.
    """

    text: str
    state: str = IDLE
    found: str = "not asked"
    url: str = ""
    headline: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the criteria, and whether this record fulfils it."""

    words: str
    value: str
    holds: bool


@dataclass(slots=True)
class Answer:
    """What one flow has to say about a record.

    Attributes:
        kind: state of all: ok, warn, bad, wait or idle.
        conditions: the criteria one by one, if they were asked.
        plan: what a run would do with it now, if nothing before said no.
    """

    flow: Flow
    kind: str = IDLE
    headline: str = ""
    more: str = ""
    url: str = ""
    questions: list[Question] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    plan: Line | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A record before a flow: what is known of both."""

    flow: Flow
    session: Session | None  # None: the system or the settings keep it from being looked at
    problem: str
    record: Record | None
    link: LinkState | None
    record_id: str
    values_agree: bool  # linked, and both sides hold the same as the mapping sees them


def answer(case: Case) -> Answer:
    """Ask the questions in their order until one is answered with no."""
    told = Answer(case.flow)
    asked = (
        ("The system answers", _answers),
        ("The record is there", _exists),
        ("The integration is active", _is_active),
        ("The flow is on", _is_on),
        ("The flow goes without a failure of its own", _goes),
        ("It has started", _has_started),
        ("Changed after the start", _after_start),
        ("Nothing was decided about it", _undecided),
        ("Inside the criteria", _inside),
        ("No failure holds it", _not_held),
        ("No write of unknown outcome", _settled),
        ("Not waiting for a fresh read", _not_queued),
        ("Differs from what both sides agreed on", _differs),
        ("Lookup, mapping and target let it pass", _passes),
        ("A run has come by", _was_read),
    )
    over = False
    for text, ask in asked:
        if over:
            told.questions.append(Question(text))
            continue
        question = replace(ask(case, told), text=text)
        told.questions.append(question)
        if question.headline:
            over = True
            told.kind, told.headline = question.state, _headline(case, question)
            told.more, told.url = question.more, question.url
    return told


def _headline(case: Case, question: Question) -> str:
    """Say first that something is not sent, then why; what is well or only waits says so itself."""
    words = question.headline
    if question.state not in (NO, "bad") or case.record is None:
        return words
    if words.startswith(("It ", "Its ", "A ", "The ")):
        words = words[0].lower() + words[1:]
    return f"Not sent to {case.flow.target_system}: {words}"


def _yes(found: str = "", url: str = "") -> Question:
    return Question("", OK, found, url)


def _no(found: str, headline: str, more: str = "", *, state: str = NO, url: str = "") -> Question:
    return Question("", state, found, url, headline, more)


def _answers(case: Case, _told: Answer) -> Question:
    if case.problem:
        return _no("no", "It cannot be looked at now", case.problem, state="bad")
    return _yes("just now")


def _exists(case: Case, _told: Answer) -> Question:
    system = case.flow.source_system
    if case.record is None:
        more = f"{system} has no record {case.record_id} among its {case.flow.source_type}"
        more += ", or it was deleted." if case.link is None else " any more: it was deleted."
        return _no("no", f"Not found in {system}", more, state="bad" if case.link else NO)
    changed = case.record.modified_at
    return _yes(f"changed {wording.relative(changed)}" if changed else "yes")


def _is_active(case: Case, _told: Answer) -> Question:
    integration = case.flow.pair.integration
    url = reverse("integrations:detail", args=[integration.pk])
    if not integration.is_active:
        more = "It is carried once the integration is activated."
        return _no("no", f"{integration} is inactive", more, url=url)
    since = integration.activated_at
    return _yes(f"since {wording.day(since)}" if since else "yes", url)


def _is_on(case: Case, _told: Answer) -> Question:
    flow = case.flow
    url = reverse("integrations:detail", args=[flow.pair.integration_id])
    if not flow.is_enabled:
        return _no("off", f"Nothing flows from {flow.source_system}: the direction is off", url=url)
    if flow.is_paused:
        more = "Look at its failure, then activate the integration again."
        return _no("paused", "The safety brake paused the flow", more, state="bad", url=url)
    return _yes("yes")


def _goes(case: Case, _told: Answer) -> Question:
    found = Failure.objects.filter(
        flow=case.flow, state=Failure.State.OPEN, level=Failure.Level.FLOW
    ).first()
    if found is None:
        return _yes("yes")
    url = reverse("integrations:failure_detail", args=[found.pk])
    words = f"{found.message} {found.hint}".strip()
    return _no("no", "The flow cannot run", words, state="bad", url=url)


def _has_started(case: Case, _told: Answer) -> Question:
    flow = case.flow
    if flow.phase == Flow.Phase.NEW:
        more = "Its first run has not begun."
        return _no("no", "The flow has not started yet", more, state=WAIT)
    if flow.phase == Flow.Phase.LOADING and case.link is None:
        more = "The first load goes through all records; this one's turn may be still to come."
        return _no("loading", "The first load is under way", more, state=WAIT)
    return _yes("loading" if flow.phase == Flow.Phase.LOADING else "yes")


def _decision(case: Case) -> Decision | None:
    if case.session is None:
        return None
    return decisions(case.flow, [case.record_id]).get(case.record_id)


def _after_start(case: Case, _told: Answer) -> Question:
    decision = _decision(case)
    if decision is not None and decision.kind == Decision.Kind.KNOWN:
        if not _still_holds(case, decision):
            return _yes("changed since")
        return _no("no", "It was there before the start", f"{decision.reason} {_EDIT}")
    start, record = case.flow.start_at, case.record
    if start is None or case.link is not None or record is None or record.modified_at is None:
        return _yes("yes" if start is None else f"started {wording.day(start)}")
    if record.modified_at < start:
        more = (
            f"It was changed last {wording.exact(record.modified_at)}; the flow takes what "
            f"changed since {wording.exact(start)}. {_EDIT}"
        )
        return _no(wording.day(record.modified_at), "It was changed before the start", more)
    return _yes(f"started {wording.day(start)}")


_LINK_AGAIN = "It is left alone for good; compare both sides to link it again."
_EDIT = "Its next edit is carried, or press Sync now."


def _still_holds(case: Case, decision: Decision) -> bool:
    if case.record is None or case.session is None:
        return True
    is_linked = case.link is not None
    return still_holds(case.session, decision, case.record, is_linked=is_linked)


def _undecided(case: Case, _told: Answer) -> Question:
    decision = _decision(case)
    if decision is None or decision.kind == Decision.Kind.KNOWN:
        return _yes("yes")
    if not _still_holds(case, decision):
        return _yes("changed since")
    headlines = {
        Decision.Kind.SKIPPED: "The lookup's rules leave it alone",
        Decision.Kind.DISMISSED: "A person dismissed it",
        Decision.Kind.RETIRED: "Its link was given up",
        Decision.Kind.GONE: "Its counterpart was deleted, and such records are skipped",
        Decision.Kind.STOPPED: "A person stopped syncing it",
    }
    word = headlines.get(Decision.Kind(decision.kind), "It is left alone")
    again = _LINK_AGAIN if decision.kind == Decision.Kind.STOPPED else _EDIT
    return _no(wording.day(decision.made_at), word, f"{decision.reason} {again}".strip())


def _inside(case: Case, told: Answer) -> Question:
    session, record = case.session, case.record
    if session is None or record is None or not session.spec.criteria:
        return _yes("all are taken")
    fields = session.spec.source_fields
    for one in session.spec.criteria:
        value = show(record.values.get(one.field), fields.get(one.field))
        told.conditions.append(
            Condition(describe((one,), fields), value, matches((one,), record.values))
        )
    held, total = sum(one.holds for one in told.conditions), len(told.conditions)
    if held == total:
        return _yes(f"{held} of {total} hold")
    if case.link is not None and case.flow.outside == Flow.Outside.KEEP:
        return _yes("outside, and keeps syncing")
    url = reverse("integrations:pair", args=[case.flow.pair_id])
    failing = " and ".join(f"“{one.words}”" for one in told.conditions if not one.holds)
    more = f"It does not fulfil {failing}."
    if case.link is not None:
        more += " A linked record stops syncing until it matches again, as the flow is set."
    return _no(f"no, {held} of {total} hold", "It is outside the criteria", more, url=url)


def _not_held(case: Case, _told: Answer) -> Question:
    targets = [case.link.target_id] if case.link is not None else []
    found = open_failures(case.flow, [case.record_id], targets)
    if not found:
        return _yes("yes")
    failure = found[0]
    url = reverse("integrations:failure_detail", args=[failure.pk])
    is_own = failure.side == case.flow.source_side
    headline = "A failure holds it" if is_own else "A failure of its counterpart holds it"
    return _no(failure.category, headline, failure.message, state="bad", url=url)


def _settled(case: Case, _told: Answer) -> Question:
    if case.record is None or case.flow.pair.type_pair_id is None:
        return _yes("yes")
    intents: list[Intent] = open_intents(case.flow, None)
    if case.session is None or not awaits_settling(case.session, case.record, case.link, intents):
        return _yes("yes")
    more = "The next run finds out whether the write was stored, then goes on with this record."
    return _no("one is open", "It waits for a write whose reply was lost", more, state=WAIT)


def _not_queued(case: Case, _told: Answer) -> Question:
    queued = QueuedRead.objects.filter(flow=case.flow, record_id=case.record_id).first()
    if queued is None:
        return _yes("yes")
    more = f"{queued.reason} It is read {wording.relative(queued.due_at)}."
    return _no("queued", "It is queued for a fresh read", more, state=WAIT)


def _differs(case: Case, _told: Answer) -> Question:
    if case.link is None or case.record is None or case.session is None:
        return _yes("it has no counterpart yet")
    if not is_echo(case.record, case.link, case.session.spec.plan):
        return _yes("yes")
    target = case.flow.target_system
    if case.values_agree:
        return _no("equal", f"In sync with {target}", "Both sides hold the same.", state=OK)
    more = (
        f"It holds what both sides last agreed on, so this flow has nothing to carry. What "
        f"differs was changed in {target}."
    )
    return _no("equal", f"Nothing of it changed since {target} agreed", more, state=IDLE)


def _passes(case: Case, told: Answer) -> Question:
    """Plan it as a run would: lookup, mapping, what the target holds."""
    session, record = case.session, case.record
    if session is None or record is None:
        return _yes("")
    candidates, result = Candidates(), Result()
    if case.link is None:
        candidates.unlinked.append(record)
    else:
        candidates.linked.append((record, case.link))
    plans = make_plans(session, candidates, result)
    complete_creates(session, plans, result)
    note_skipped(session, result)
    told.plan = next(iter(lines_of(session, plans, result)), None)
    if told.plan is None or told.plan.kind == "unchanged":
        return _yes("nothing to write")
    words = f"{told.plan.reason} {told.plan.hint}".strip()
    if told.plan.kind == "skipped":
        return _no("skipped", "The lookup's rules leave it alone", words)
    if told.plan.kind == "held":
        return _no("held", "It waits its turn", words, state=WAIT)
    if told.plan.kind == "failed":
        return _no("no", "It would fail", words, state="bad")
    return _yes("yes")


def _was_read(case: Case, told: Answer) -> Question:
    """Compare its modified time with what the flow has read."""
    flow, record = case.flow, case.record
    read_to, changed = flow.window_lower, record.modified_at if record is not None else None
    next_run = _next_run(flow)
    if told.plan is None or told.plan.kind == "unchanged":
        return _no("nothing to do", "There is nothing to carry", next_run, state=IDLE)
    word = {"created": "created", "updated": "changed", "linked": "linked"}[told.plan.kind]
    if changed is not None and read_to is not None and changed <= read_to:
        more = (
            f"It was changed {wording.exact(changed)}, and the flow has read up to "
            f"{wording.exact(read_to)}: that edit moved no date in time, or its search index was "
            "late. The sweep finds it, or press Sync now."
        )
        return _no("passed by", f"It would be {word}, but the flow has passed it by", more)
    headline = f"The next run takes it: it will be {word} in {flow.target_system}"
    return _no(
        f"read up to {wording.relative(read_to)}" if read_to else "not yet",
        headline,
        next_run,
        state=WAIT,
    )


def _next_run(flow: Flow) -> str:
    if flow.next_run_at is None:
        return ""
    if flow.next_run_at <= timezone.now():
        return "The next run is due now."
    return f"The next run is {wording.relative(flow.next_run_at)}."
