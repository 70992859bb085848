"""A stand-in push service on 127.0.0.1 (RFC 8030), well or badly behaved, and its browser.

What it has taken is opened with the browser's own key, as a browser would.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hospital_ops.webpush import encoded

STATUS: Mapping[str, tuple[int, str]] = {
    "well": (201, ""),
    "slow": (201, ""),
    "gone": (410, ""),
    "busy": (429, "Retry-After: 600\r\n"),
    "broken": (500, ""),
}


@dataclass(slots=True)
class Browser:
    """One browser that has subscribed."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"0123456789abcdef"

    def keys(self) -> dict[str, str]:
        """What it tells the hospital."""
        return {"p256dh": encoded(self._public()), "auth": encoded(self.auth)}

    def opened(self, body: bytes) -> dict[str, Any]:
        """The words of a message, as RFC 8291 has a browser open them."""
        salt, length = body[:16], body[20]
        sender = body[21 : 21 + length]
        shared = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )
        info = b"WebPush: info\x00" + self._public() + sender + b"\x01"
        secret = hmac.digest(hmac.digest(self.auth, shared, "sha256"), info, "sha256")
        base = hmac.digest(salt, secret, "sha256")
        key = hmac.digest(base, b"Content-Encoding: aes128gcm\x00\x01", "sha256")[:16]
        nonce = hmac.digest(base, b"Content-Encoding: nonce\x00\x01", "sha256")[:12]
        plain = AESGCM(key).decrypt(nonce, body[21 + length :], None)
        said: dict[str, Any] = json.loads(plain.rstrip(b"\x00").removesuffix(b"\x02"))
        return said

    def _public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(slots=True)
class PushService:
    """`how` it behaves, by the path of the endpoint; what it took, with its headers."""

    how: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)  # a slow one answers after this
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> PushService:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def host(self) -> str:
        """Where it listens."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ", 2)[1]
        lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line]
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(path)
        behaviour = self.how.get(path, "well")
        if behaviour == "slow":
            await self.go.wait()
        if behaviour != "reset":
            status, more = STATUS[behaviour]
            if status == 201:
                self.taken.append((path, headers, body))
            writer.write(f"HTTP/1.1 {status} x\r\n{more}Content-Length: 0\r\n\r\n".encode())
        writer.close()
