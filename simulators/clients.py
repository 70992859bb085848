"""The sender's side of MLLP: one message out, one acknowledgement in, on one connection."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from hospital_ops.errors import MessageError

START, END = b"\x0b", b"\x1c\r"
POSITIVE = frozenset({"AA", "CA"})  # understood and on disk
REFUSED = frozenset({"AR", "CR"})  # never to be sent again as it is
ANSWER_BYTES_MAX = 64 * 1024  # an acknowledgement is some hundred bytes

TRY_AGAIN = (OSError, EOFError, TimeoutError, MessageError)  # what a sender repeats after


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """MSA as it came: the code, the control id it answers, and what the receiver says."""

    code: str
    control_id: str
    text: str = ""

    @property
    def stored(self) -> bool:
        """The receiver has the message on disk."""
        return self.code in POSITIVE

    @property
    def refused(self) -> bool:
        """The receiver will not take this message however often it comes."""
        return self.code in REFUSED


def read_acknowledgement(answer: bytes) -> Acknowledgement:
    """MSA-1, MSA-2 and a reason out of an ACK; MessageError where there is none."""
    reason, code, control_id = "", "", ""
    for segment in answer.decode("utf-8", "replace").replace("\n", "\r").split("\r"):
        fields = segment.split("|")
        if fields[0] == "MSA" and len(fields) > 2:
            code, control_id = fields[1], fields[2]
            reason = reason or (fields[3] if len(fields) > 3 else "")
        elif fields[0] == "ERR":
            reason = next((text for text in fields[8:6:-1] if text), reason)
    if not code:
        raise MessageError("no_acknowledgement", "the answer has no MSA segment: check the port")
    return Acknowledgement(code, control_id, reason)


def control_id_of(message: bytes) -> str:
    """MSH-10 of a message that we wrote."""
    return message.split(b"\r", 1)[0].split(b"|")[9].decode()


class MllpClient:
    """One connection that is opened when it is needed and closed after anything unexpected."""

    def __init__(self, host: str, port: int, timeout_s: float = 5.0) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, message: bytes) -> Acknowledgement:
        """Sends one message and waits for its acknowledgement.

        OSError, EOFError, TimeoutError: nobody knows whether it arrived, send the same bytes again.
        MessageError: the answer belongs to something else; the connection has been closed.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._exchange(message)
            acknowledgement = read_acknowledgement(answer)
            if acknowledgement.control_id != control_id_of(message):
                raise MessageError("wrong_answer", "the answer names another message: send again")
        except BaseException:
            # An answer that still comes would be taken for that of the next message.
            self.abort()
            raise
        return acknowledgement

    async def _exchange(self, message: bytes) -> bytes:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port, limit=ANSWER_BYTES_MAX
            )
        self._writer.write(START + message + END)
        await self._writer.drain()
        try:
            answer = await self._reader.readuntil(END)
        except asyncio.LimitOverrunError:
            raise MessageError("answer_too_long", "this is no MLLP receiver: check port") from None
        return answer[: -len(END)].rpartition(START)[2]

    def abort(self) -> None:
        """Drops the connection without waiting for what is unsent."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def close(self) -> None:
        """Closes the connection in good order."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
