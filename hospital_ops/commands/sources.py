"""Named sources of the settings as the ways in know them."""

from __future__ import annotations

from hospital_ops.hl7.understand import Source
from hospital_ops.settings import MllpSource


def source_of(named: MllpSource) -> Source:
    """A source of the settings as the gateway knows it."""
    return Source(
        name=named.name,
        hospital=named.hospital,
        networks=named.networks,
        units=None if named.units == ("*",) else named.units,
        mode=named.mode,
        zone=named.zone,
    )
