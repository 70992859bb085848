"""Who speaks on a connection: a named source, by its certificate or its address. Pure."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence

from hospital_ops.hl7.understand import Source

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Named = list[tuple[Source, list[Network]]]


def named(sources: Sequence[Source]) -> Named:
    """The sources with their networks, in their order."""
    return [
        (source, [ipaddress.ip_network(text) for text in source.networks]) for source in sources
    ]


def source_of(transport: asyncio.BaseTransport, sources: Named) -> Source | None:
    """The first source that a connection may be: by certificate on TLS, else by address."""
    certificate = transport.get_extra_info("peercert")
    names = {
        value
        for pairs in (certificate or {}).get("subject", ())
        for key, value in pairs
        if key == "commonName"
    }
    peer = transport.get_extra_info("peername")
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0]) if peer else None
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    for source, networks in sources:
        if source.certificate and source.certificate not in names:
            continue
        if address is not None and any(address in network for network in networks):
            return source
        if source.certificate and not networks:
            return source
    return None
