"""Named sources of the settings as the ways in know them."""

from __future__ import annotations

import ssl

from hospital_ops.errors import ConfigurationError
from hospital_ops.hl7.understand import Source
from hospital_ops.settings import MllpSource, Settings


def source_of(named: MllpSource) -> Source:
    """A source of the settings as the gateway knows it."""
    return Source(
        name=named.name,
        hospital=named.hospital,
        networks=named.networks,
        units=None if named.units == ("*",) else named.units,
        mode=named.mode,
        zone=named.zone,
        charset=named.charset,
        certificate=named.certificate,
    )


def tls_of(settings: Settings) -> ssl.SSLContext:
    """What the TLS port of MLLP shows and asks for; ConfigurationError where a file is no use."""
    shown, key, clients = (
        settings.mllp_tls_certificate, settings.mllp_tls_key, settings.mllp_tls_clients,
    )  # fmt: skip
    if shown is None or clients is None:
        raise ConfigurationError(
            "MLLP over TLS needs HOSPITAL_OPS_MLLP_TLS_CERTIFICATE, _KEY and _CLIENTS (PEM files: "
            "our certificate, its key, the authority of the senders' certificates)."
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(shown, key)
        context.load_verify_locations(clients)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"MLLP over TLS: {error.strerror or error}; look at the PEM files."
        ) from None
    return context
