"""The faulty network of the tests: each fate does what its name says, repeatably."""

import http.client
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.fault_proxy import NO_FAULTS, Fate, FaultProxy, Odds, fault_proxy
from tests.unit.connectors.scripted_server import Reply, Server, serving

BROKEN = (ConnectionError, http.client.HTTPException)
BODY = b"x" * 100


def only(fate: Fate, **more: float) -> Odds:
    chosen = dict.fromkeys(("delayed", "reset", "cut", "swallowed"), 0.0) | {fate.value: 1.0}
    return Odds(**chosen, **more)  # type: ignore[arg-type]  # no numbers of turns among them


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def done(server: Server) -> int:
    """Count the requests that arrived whole."""
    return sum(len(body) == int(head.get("Content-Length", -1)) for _, _, head, body in server.seen)


def ask(proxy: FaultProxy, bodies: Sequence[bytes] = (BODY,)) -> list[bytes | None]:
    """Send requests on one connection while it lasts; None where it broke."""
    answers: list[bytes | None] = []
    line = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    for body in bodies:
        try:
            line.request("POST", "/things", body)
            answers.append(line.getresponse().read())
        except BROKEN:
            answers.append(None)
            line.close()
    line.close()
    return answers


@pytest.mark.parametrize(("fate", "seen"), [(Fate.RESET, 0), (Fate.CUT, 0), (Fate.SWALLOWED, 1)])
def test_a_broken_turn_is_done_only_where_its_answer_was_swallowed(fate: Fate, seen: int) -> None:
    with (
        serving(Reply(body=b"done")) as server,
        fault_proxy(port_of(server), seed=1, odds=only(fate)) as proxy,
    ):
        assert ask(proxy) == [None]
        assert proxy.fates == {fate: 1}
    assert done(server) == seen


def test_a_delayed_turn_is_done_and_answered() -> None:
    with (
        serving(Reply(body=b"done")) as server,
        fault_proxy(
            port_of(server), seed=1, odds=only(Fate.DELAYED, longest_delay_s=0.05)
        ) as proxy,
    ):
        assert ask(proxy) == [b"done"]
        assert proxy.fates == {Fate.DELAYED: 1}


def test_every_request_of_a_kept_connection_draws_a_fate() -> None:
    with (
        serving(Reply(body=b"done")) as server,
        fault_proxy(port_of(server), seed=7, odds=Odds(longest_delay_s=0.001)) as proxy,
    ):
        answers = ask(proxy, [BODY] * 400)
        fates = proxy.fates
        assert fates.total() == 400
    assert all(8 <= fates[fate] <= 36 for fate in Fate if fate is not Fate.FINE), fates
    assert answers.count(None) == fates[Fate.RESET] + fates[Fate.CUT] + fates[Fate.SWALLOWED]
    assert done(server) == 400 - fates[Fate.RESET] - fates[Fate.CUT]


def test_a_fate_for_many_turns_strikes_one_of_them() -> None:
    with (
        serving(Reply(body=b"done")) as server,
        fault_proxy(
            port_of(server), seed=7, odds=only(Fate.DELAYED, longest_delay_s=0.001, every=10)
        ) as proxy,
    ):
        ask(proxy, [BODY] * 40)
        assert proxy.fates == {Fate.DELAYED: 4, Fate.FINE: 36}


def test_the_seed_decides() -> None:
    def broken(seed: int) -> list[int]:
        with (
            serving(Reply(body=b"done")) as server,
            fault_proxy(port_of(server), seed=seed, odds=Odds(delayed=0)) as proxy,
        ):
            answers = ask(proxy, [BODY] * 60)
        return [number for number, answer in enumerate(answers) if answer is None]

    assert broken(1) == broken(1) != broken(2)


def test_a_calm_proxy_passes_large_requests_and_answers_whole() -> None:
    large = b"x" * 3_000_000
    with (
        serving(Reply(body=large)) as server,
        fault_proxy(port_of(server), seed=1, odds=only(Fate.RESET)) as proxy,
    ):
        proxy.calm_down()
        assert proxy.odds is NO_FAULTS
        assert ask(proxy, [large] * 2) == [large] * 2
    assert Counter(len(body) for *_, body in server.seen) == {len(large): 2}
