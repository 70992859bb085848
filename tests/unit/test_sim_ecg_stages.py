"""An ECG for a bad link: small pieces that keep every spike, and the file without a lost bit."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hospital_ops.ecg.files import reading
from simulators import ecg_stages


def file(**leads: list[int | None]) -> bytes:
    sent: dict[str, Any] = {"rate_hz": 500, "scale_uv": 1.0, "device": "R1", "leads": leads}
    return json.dumps(sent).encode()


def spike(at: int) -> list[int | None]:
    return [1200 if n == at else n % 7 for n in range(5000)]


def test_the_first_piece_is_lead_two_and_keeps_a_spike_of_one_sample() -> None:
    first = ecg_stages.preview(file(I=[0] * 5000, II=spike(613)))
    read = reading.read(first)
    assert list(read.leads) == ["II"]
    assert read.rate_hz == 100
    assert len(read.leads["II"]) == 250
    assert abs(max(read.leads["II"]) - 1.2) < 0.01
    assert len(first) < 1500, "small enough for a link of 20 kbit/s"


def test_the_coarse_piece_has_all_leads_and_gaps_stay_gaps() -> None:
    gap: list[int | None] = [None] * 2500
    leads = json.loads(
        gzip.decompress(ecg_stages.coarse(file(V1=[*gap, *spike(9)[:2500]], I=spike(9))))
    )
    assert list(leads["leads"]) == ["V1", "I"]
    assert leads["leads"]["V1"][:500] == [None] * 500
    assert max(leads["leads"]["V1"][500:]) == 120


def test_the_file_itself_loses_nothing() -> None:
    data = file(II=spike(77))
    assert gzip.decompress(ecg_stages.whole(data)) == data
    assert ecg_stages.whole(data) == ecg_stages.whole(data), "sent again it is the same"
