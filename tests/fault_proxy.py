"""A proxy on loopback that hurts connections by chance, for tests of what survives a bad network.

It knows no protocol, only *turns*: what a client sends, and what comes back before it sends again.
HTTP without pipelining and PostgreSQL both take turns, so each request of a kept connection draws
a fate of its own. All chance comes from the seed and the number of the connection.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

PIECE_BYTES = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST


class Fate(StrEnum):
    """What becomes of one turn."""

    FINE = "fine"
    DELAYED = "delayed"  # the request is passed on late
    RESET = "reset"  # the connection breaks; nothing of the request was passed on
    CUT = "cut"  # the server gets a torn request, the client a broken connection
    SWALLOWED = "swallowed"  # the request was done; the client gets a broken connection


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely each fault is.

    Attributes:
        every: turns for which one fate is drawn; it strikes at one of them. A database needs many
            turns for one piece of work and would otherwise never come to an end of it.
        longest_delay_s: of a delayed turn.
    """

    delayed: float = 0.05
    reset: float = 0.05
    cut: float = 0.05
    swallowed: float = 0.05
    every: int = 1
    longest_delay_s: float = 0.3

    def draw(self, chance: random.Random) -> Fate:
        """Draw a fate, with exactly one number from ``chance``."""
        number, edge = chance.random(), 0.0
        for fate in (Fate.DELAYED, Fate.RESET, Fate.CUT, Fate.SWALLOWED):
            edge += getattr(self, fate.value)
            if number < edge:
                return fate
        return Fate.FINE


NO_FAULTS = Odds(0, 0, 0, 0)


class FaultProxy:
    """Passes connections on to a server and hurts some.

    Attributes:
        port: where it listens on loopback.
        odds: may be changed at any time.
        fates: how many turns met which fate so far.
    """

    def __init__(self, host: str, port: int, *, odds: Odds, seed: int) -> None:
        self.port = 0
        self.odds = odds
        self.fates: Counter[Fate] = Counter()
        self._target, self._seed, self._numbers = (host, port), seed, count()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    def calm_down(self) -> None:
        """Hurt nothing any more."""
        self.odds = NO_FAULTS

    @property
    def turns(self) -> int:
        """How many turns there were so far."""
        return self.fates.total()

    @property
    def struck(self) -> str:
        """The faults so far, for people."""
        return ", ".join(f"{fate} {number}" for fate, number in sorted(self.fates.items()))

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            upstream = await asyncio.open_connection(*self._target)
        except OSError:
            _break(writer)
            return
        chance = random.Random(f"{self._seed}/{next(self._numbers)}")  # noqa: S311 - of a test
        line = _Line(self, chance, (reader, writer), upstream)
        with contextlib.suppress(asyncio.CancelledError):  # only by stop()
            await line.pass_on()


class _Line:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: FaultProxy,
        chance: random.Random,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.proxy, self.chance = proxy, chance
        self.client, self.server = client, server
        self.fate = Fate.FINE
        self.is_answered = True
        self._coming: list[Fate] = []

    async def pass_on(self) -> None:
        ways = {asyncio.create_task(self._up()), asyncio.create_task(self._down())}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            if self.fate in {Fate.RESET, Fate.CUT, Fate.SWALLOWED}:
                _break(self.client[1])
            for _, writer in (self.client, self.server):
                writer.close()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await writer.wait_closed()

    async def _up(self) -> None:
        """Pass requests on, until one is to be hurt."""
        reader, writer = self.client[0], self.server[1]
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                if self.is_answered:
                    self.is_answered, self.fate = False, self._next_fate()
                    self.proxy.fates[self.fate] += 1
                    if self.fate is Fate.DELAYED:
                        longest_s = self.proxy.odds.longest_delay_s
                        await asyncio.sleep(self.chance.random() * longest_s)
                if self.fate is Fate.RESET:
                    return
                if self.fate is Fate.CUT:
                    writer.write(piece[: len(piece) // 2])
                    await writer.drain()
                    return
                writer.write(piece)
                await writer.drain()

    async def _down(self) -> None:
        """Pass answers on; the first piece of one tells that the request was done."""
        reader, writer = self.server[0], self.client[1]
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                if self.fate is Fate.SWALLOWED:
                    return
                self.is_answered = True
                writer.write(piece)
                await writer.drain()

    def _next_fate(self) -> Fate:
        if not self._coming:
            every = self.proxy.odds.every
            self._coming = [Fate.FINE] * every
            self._coming[self.chance.randrange(every)] = self.proxy.odds.draw(self.chance)
        return self._coming.pop() if self.proxy.odds is not NO_FAULTS else Fate.FINE


def _break(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other end sees it break."""
    line = writer.get_extra_info("socket")
    if line is not None:
        with contextlib.suppress(OSError):
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


@contextlib.contextmanager
def fault_proxy(port: int, *, seed: int, odds: Odds | None = None) -> Iterator[FaultProxy]:
    """Run a proxy in front of a port on loopback, in a thread of its own, while a block lasts."""
    proxy = FaultProxy("127.0.0.1", port, odds=odds or Odds(), seed=seed)
    with _loop_in_thread() as run:
        run(proxy.start())
        try:
            yield proxy
        finally:
            run(proxy.stop())


@contextlib.contextmanager
def _loop_in_thread() -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
