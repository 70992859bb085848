"""Something that answers where the hospital should, and does it badly."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]  # the request's body, the line


def says(body: bytes, status: str = "200 OK") -> Answer:
    """One answer to everything."""

    async def answer(_: bytes, line: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
        line.write(head.encode() + body)
        await line.drain()

    return answer


async def is_silent(_: bytes, __: asyncio.StreamWriter) -> None:
    """Takes everything and never answers."""
    await asyncio.Event().wait()


async def drips(_: bytes, line: asyncio.StreamWriter) -> None:
    """A byte now and then, without an end: no single read ever times out."""
    line.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        line.write(b" ")
        await line.drain()
        await asyncio.sleep(0.02)


async def speaks_no_http(_: bytes, line: asyncio.StreamWriter) -> None:
    """Bytes of something else."""
    line.write(b"\x0bMSH|^~\\&|\x1c\r" * 1000)
    await line.drain()


async def hangs_up(_: bytes, line: asyncio.StreamWriter) -> None:
    """Ends the connection in place of an answer."""
    line.transport.abort()


@asynccontextmanager
async def answering(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port on loopback."""

    async def talk(reader: asyncio.StreamReader, line: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                lower = head.lower()
                _, found, size = lower.partition(b"content-length:")
                count = int(size.split(b"\r\n")[0]) if found else 0
                await answer(await reader.readexactly(count), line)
        line.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def certified(folder: Path, host: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """A certificate that only its holder has signed, in a file, and a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    try:
        subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        subject = x509.DNSName(host)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / f"{host}.pem", folder / f"{host}.key"
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, secret)
    return shown, context
