"""The MLLP gateway: frames in, entries into the streams, an answer only after they are on disk.

One task a connection takes what has come, starts all its appends at once (they share a group
commit) and answers in order. While too much is in flight the connection is not read. Nothing of a
message goes into a log; counts are by source and stable code.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ssl import SSLContext
from traceback import extract_tb
from typing import Final, Protocol, cast

from hospital_ops import log, wire
from hospital_ops.clock import Clock
from hospital_ops.errors import NotStored
from hospital_ops.hl7.bounds import MAX_OBX
from hospital_ops.hl7.framing import MIB, Frame, Framer, split_messages
from hospital_ops.hl7.understand import Source
from streams import peers
from streams.codebooks import Codebooks
from streams.hl7_intake import Append, Intake, answer_broken, broken, take
from streams.pacing import Pace
from streams.routing import Announced, Places
from streams.shard import hospital_of

logger = log.get("mllp")

BATCH: Final = 32  # frames taken from the socket at once
PORTION: Final = 64  # messages decided before their appends are awaited
HOLD_S: Final = 0.02  # so long one sender is listened to alone
_RECHECK_S: Final = 0.01  # at least, between two looks at the clock
_LOGGED_PEERS: Final = 256  # strangers named in the log, each once
_GIVES_WAY_S: Final = 10.0  # a value is amber after 5 s: a line silent for so long gives way
_BACKLOG: Final = 1024  # connections that may wait to be accepted: a ward after a power cut


Decide = Callable[[bytes, Source, Announced, int, int], Intake]


class Appending(Protocol):
    """What the gateway needs of `streams.append.Appender`."""

    async def append(
        self, shard: str, entry: wire.Entry, raw: bytes = b"", stream: str = "in"
    ) -> str:
        """The stream id once it is on disk; NotStored otherwise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of SAFETY.md section 3; a site may tighten them."""

    frame_bytes: int = MIB
    frame_s: float = 30.0  # to finish a frame
    idle_s: float = 300.0
    connections: int = 64  # of one source
    obx: int = MAX_OBX
    in_flight: int = 64  # frames of one connection that wait for the disk
    finish_s: float = 10.0  # for what was received, when the gateway closes


@dataclass(slots=True)
class Counts:
    """What came from one source since the start."""

    connections: int = 0  # open now
    received: int = 0  # messages
    stored: int = 0  # messages taken and on disk
    not_stored: int = 0  # answered "send again"
    warnings: int = 0  # named in answers: damaged segments, unusable values, character sets
    refused: Counter[str] = field(default_factory=Counter)  # by code; kept in the hall
    closed: Counter[str] = field(default_factory=Counter)  # connections closed, by reason


class MllpGateway:
    """Accepts MLLP connections of named sources and stores what they send.

    A peer that is no source is closed and counted in `strangers`. `places` answers which bed is
    where; `on_new_bed(unit, bed)` hears of beds that ADT names before they are registered.
    `decide` says what becomes of a message; the box of a unit has a way of its own.
    """

    def __init__(
        self,
        appender: Appending,
        places: Places,
        sources: Sequence[Source],
        clock: Clock,
        limits: Limits | None = None,
        on_new_bed: Callable[[str, str], None] | None = None,
        codebooks: Codebooks | None = None,
        decide: Decide = take,
    ) -> None:
        self.appender, self.decide = appender, decide
        self.places = Announced(places, on_new_bed)
        self.clock, self.codebooks, self.pace = clock, codebooks, Pace(clock)
        self.limits = limits or Limits()
        self.counts = {source.name: Counts() for source in sources}
        self.strangers = 0
        self._sources = peers.named(sources)
        self._open: set[_Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._logged: set[str] = set()

    async def serve(self, host: str, port: int, ssl: SSLContext | None = None) -> asyncio.Server:
        """Listens; port 0 takes a free one (`server.sockets[0].getsockname()[1]`)."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Connection(self, loop), host, port, ssl=ssl, backlog=_BACKLOG
        )
        self._servers.append(server)
        return server

    async def close(self) -> None:
        """Stops listening, lets what was received reach the disk and its answer, then closes."""
        for server in self._servers:
            server.close()
        working = [connection.finish() for connection in list(self._open)]
        if working:
            await asyncio.wait(working, timeout=self.limits.finish_s)

    def source_of(self, transport: asyncio.BaseTransport) -> Source | None:
        """The named source of a connection: by certificate on TLS, else by address."""
        return peers.source_of(transport, self._sources)

    def read(self, appends: list[Append]) -> list[Append]:
        """The entries with senders' codes under ours, as far as they are mapped."""
        books = self.codebooks
        if books is None:
            return appends
        return [
            one._replace(entry=books.read(hospital_of(one.shard), one.entry))
            if isinstance(one.entry, wire.Observed)
            else one
            for one in appends
        ]

    def make_room(self, source: Source) -> bool:
        """Ends the longest silent line of `source`: a switch that begins anew leaves them open."""
        silent = [line for line in self._open if line.is_silent(source)]
        if silent:
            min(silent, key=lambda line: line.heard_at).give_way()
        return bool(silent)

    def stranger(self, transport: asyncio.BaseTransport) -> None:
        """Counts and, once for each address, logs a peer that is no source."""
        self.strangers += 1
        peer = str((transport.get_extra_info("peername") or ("unknown",))[0])
        if peer not in self._logged and len(self._logged) < _LOGGED_PEERS:
            self._logged.add(peer)
            logger.warning(
                "stranger", peer=peer, help="add its address to the MLLP sources to let it in"
            )


class _Connection(asyncio.Protocol):
    """One sender's connection."""

    def __init__(self, gateway: MllpGateway, loop: asyncio.AbstractEventLoop) -> None:
        self._gateway = gateway
        self._loop = loop
        self._framer = Framer(gateway.limits.frame_bytes)
        self._frames: deque[Frame] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = self._blocked = self._ending = self._lost = False
        self._is_deaf = False  # idle, and has not even taken its answers
        self._last = self._began = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets named sources in, up to their number of connections."""
        self._transport = cast("asyncio.Transport", transport)
        self._worker: asyncio.Task[None] | None = None
        source = self._gateway.source_of(transport)
        if source is None:
            self._gateway.stranger(transport)
            self._transport.abort()
            return
        self._source, self._counts = source, self._gateway.counts[source.name]
        full = self._counts.connections >= self._gateway.limits.connections
        if full and not self._gateway.make_room(source):
            self._counts.closed["too_many_connections"] += 1
            self._transport.abort()
            return
        self._counts.connections += 1
        self._gateway._open.add(self)
        self._worker = self._loop.create_task(self._work())
        self._check_time()

    def data_received(self, data: bytes) -> None:
        """Cuts frames and hands them to the worker; stops reading when too many wait."""
        if self._worker is None or self._ending:
            return
        self._last = now = self._loop.time()
        was_inside = self._framer.inside
        frames = self._framer.feed(data)
        if self._framer.inside and (frames or not was_inside):
            self._began = now
        if frames:
            self._frames.extend(frames)
            if len(self._frames) > self._gateway.limits.in_flight:
                self._paused = True
                self._transport.pause_reading()
            self._call()

    def eof_received(self) -> bool:
        """A sender that only writes still gets its answers."""
        self.finish()
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        """What was received whole is stored all the same."""
        self._lost = True
        if self._timer is not None:
            self._timer.cancel()
        if self._worker is not None:
            self._counts.connections -= 1
            self._gateway._open.discard(self)
            self.finish()

    def pause_writing(self) -> None:
        """A sender that does not read its answers is not read either."""
        self._blocked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._blocked = False
        self._read_on()

    @property
    def heard_at(self) -> float:
        """When something last came, seconds of the loop's clock."""
        return self._last

    def is_silent(self, source: Source) -> bool:
        """Whether nothing of this source has come for a while and nothing waits for the disk."""
        waits = self._wake is not None and not self._wake.done()
        long = self._loop.time() - self._last >= _GIVES_WAY_S
        return self._source is source and waits and long and not self._ending

    def give_way(self) -> None:
        """Ends at once: nobody is there, or somebody who connects anew."""
        self._counts.closed["gave_way"] += 1
        self._ending = True
        self._transport.abort()

    def finish(self) -> asyncio.Task[None]:
        """Takes no more; the task ends when all that came is stored and answered."""
        assert self._worker is not None  # noqa: S101 - only open connections are finished
        if not self._ending:
            self._ending = True
            rest = self._framer.abandon()
            if rest is not None:
                self._frames.append(rest)
        self._call()
        return self._worker

    def _call(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _read_on(self) -> None:
        if not (self._paused or self._blocked or self._lost):
            self._transport.resume_reading()

    def _check_time(self) -> None:
        """Closes what is idle or does not finish its frame; runs at the next possible moment."""
        now, limits = self._loop.time(), self._gateway.limits
        idle = self._last + limits.idle_s
        slow = self._began + limits.frame_s if self._framer.inside else idle
        if self._framer.inside and now >= slow and not self._paused:
            self._close("slow_frame")
        elif now >= idle and not self._frames:
            self._is_deaf = self._transport.get_write_buffer_size() > 0
            self._close("idle")
        else:
            due = max(min(idle, slow, now + limits.frame_s), now + _RECHECK_S)
            self._timer = self._loop.call_at(due, self._check_time)

    def _close(self, reason: str) -> None:
        self._counts.closed[reason] += 1
        self.finish()

    async def _work(self) -> None:
        """Stores and answers, until the connection ends or something unforeseen happens."""
        try:
            while True:
                if not self._frames:
                    if self._ending:
                        return
                    self._wake = self._loop.create_future()
                    await self._wake
                    continue
                batch = [self._frames.popleft() for _ in range(min(BATCH, len(self._frames)))]
                await self._handle(batch)
                if self._paused and len(self._frames) <= self._gateway.limits.in_flight // 2:
                    self._paused = False
                    self._read_on()
        except Exception as error:
            # The outermost edge of this sender: it is closed without an answer and sends again.
            # The place is logged and not the text of the error, which may quote the message.
            self._counts.closed["failed"] += 1
            where = extract_tb(error.__traceback__)[-1]
            logger.error(
                "sender_closed",
                source=self._source.name,
                error=type(error).__name__,
                where=f"{where.name}:{where.lineno}",
            )
        finally:
            if self._is_deaf:  # a close would wait for it
                self._transport.abort()
            else:
                self._transport.close()

    async def _handle(self, batch: list[Frame]) -> None:
        """In portions: a frame may hold a batch of thousands of messages."""
        came: list[Frame | bytes] = []
        for frame in batch:
            came += [frame] if frame.problem else split_messages(frame.data)
        for start in range(0, len(came), PORTION):
            await self._take(came[start : start + PORTION])

    async def _take(self, portion: list[Frame | bytes]) -> None:
        gateway, source, counts = self._gateway, self._source, self._counts
        now, limits, loop = gateway.clock.now_us(), gateway.limits, self._loop
        decided: list[Intake | Frame] = []
        appends: list[list[Append]] = []
        held_from = loop.time()
        for one in portion:
            if isinstance(one, Frame):
                counts.refused[one.problem] += 1
                decided.append(one)
                appends.append([broken(one, source, now)])
                continue
            intake = gateway.decide(one, source, gateway.places, now, limits.obx)
            decided.append(intake)
            appends.append(gateway.read(intake.appends))
            if loop.time() - held_from > HOLD_S:
                await asyncio.sleep(0)  # the other senders wait for no more than one message
                held_from = loop.time()
        await gateway.pace.turn([one.entry for group in appends for one in group])
        failures = await self._store(appends)
        answers = bytearray()
        for item, failure in zip(decided, failures, strict=True):
            answers += self._answer(item, failure, now)
        if answers and not self._transport.is_closing():
            self._transport.write(bytes(answers))

    async def _store(self, appends: list[list[Append]]) -> list[str]:
        """For each message why it was not stored, or an empty text; all appends run at once.

        How long one may take is the appender's limit: it ends with NotStored.
        """
        append = self._gateway.appender.append
        if len(appends) == 1 and len(appends[0]) == 1:
            shard, stream, entry, raw = appends[0][0]
            try:
                await append(shard, entry, raw, stream)
            except NotStored as error:
                return [str(error)]
            return [""]
        results = await asyncio.gather(
            *(append(a.shard, a.entry, a.raw, a.stream) for group in appends for a in group),
            return_exceptions=True,
        )
        failures, at = [], iter(results)
        for group in appends:
            failure = ""
            for result in [next(at) for _ in group]:
                if isinstance(result, NotStored):
                    failure = failure or str(result)
                elif isinstance(result, BaseException):
                    raise result
            failures.append(failure)
        return failures

    def _answer(self, item: Intake | Frame, failure: str, now: int) -> bytes:
        counts = self._counts
        if isinstance(item, Frame):
            if item.problem == "no_frame":
                self._close("no_frame")
            return b"" if failure else answer_broken(item, self._source, now)
        counts.received += 1
        if failure:
            counts.not_stored += 1
            return item.understood.answer(now, not_stored=failure)
        if item.code:
            counts.refused[item.code] += 1
        else:
            counts.stored += 1
            counts.warnings += len(item.understood.warnings)
        return item.understood.answer(now)
