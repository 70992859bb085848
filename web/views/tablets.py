"""The code that pairs a tablet, as a picture for its camera."""

from __future__ import annotations

import segno


def qr(address: str) -> str:
    """A QR code as a `data:` address of an SVG picture."""
    picture: str = segno.make(address, error="m", micro=False).svg_data_uri(scale=6, border=4)
    return picture
