"""MLLP over TLS: a sender is known by its certificate, as the settings say."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from hospital_ops.clock import ManualClock
from hospital_ops.commands.sources import source_of, tls_of
from hospital_ops.errors import ConfigurationError
from hospital_ops.hl7.framing import framed
from hospital_ops.settings import MllpSource, Settings
from streams.mllp import MllpGateway
from tests.fakes.bad_hospital import certified
from tests.mllp_ward import NOW, Disk, Ward, answer, oru


async def first_byte(port: int, trusting: ssl.SSLContext) -> bytes:
    """What a sender is answered at all."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting, server_hostname="localhost"
    )
    writer.write(framed(oru("A1")))
    return await reader.readexactly(1)


async def test_over_tls_a_sender_is_known_by_its_certificate_and_nobody_else_is_let_in(
    tmp_path: Path,
) -> None:
    shown, _ = certified(tmp_path, "localhost")
    client, _ = certified(tmp_path, "gw-east")
    given = Settings(
        mllp_tls_port=1, mllp_tls_certificate=shown, mllp_tls_key=shown.with_suffix(".key"),
        mllp_tls_clients=client,
        mllp_sources=(MllpSource(name="east", hospital="h7", mode="Test", certificate="gw-east"),),
    )  # fmt: skip
    disk = Disk()
    gateway = MllpGateway(
        disk, Ward(), [source_of(one) for one in given.mllp_sources], ManualClock(NOW)
    )
    server = await gateway.serve("127.0.0.1", 0, tls_of(given))
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(shown))
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        await first_byte(port, trusting)
    assert disk.observed() == []
    trusting.load_cert_chain(client, client.with_suffix(".key"))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting, server_hostname="localhost"
    )
    writer.write(framed(oru("A2")))
    assert (await answer(reader))[0] == "AA"
    assert [one.source for one in disk.observed()] == ["east"]
    writer.close()
    await gateway.close()


@pytest.mark.parametrize("missing", ["certificate", "clients", "no_pem"])
def test_tls_that_cannot_work_is_refused_at_the_start(missing: str, tmp_path: Path) -> None:
    shown, _ = certified(tmp_path, "localhost")
    if missing == "no_pem":
        shown.write_text("no certificate")
    given = {
        "mllp_tls_certificate": shown, "mllp_tls_key": shown.with_suffix(".key"),
        "mllp_tls_clients": shown,
    }  # fmt: skip
    given.pop(f"mllp_tls_{missing}", None)
    with pytest.raises(ConfigurationError, match="MLLP over TLS"):
        tls_of(Settings(mllp_tls_port=1, **given))  # type: ignore[arg-type]
