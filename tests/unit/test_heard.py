"""Who sends, as the page of feeds is told: who comes anew at once, who goes on now and then."""

from __future__ import annotations

from hospital_ops import wire
from hospital_ops.clock import SECOND
from streams.heard import STEADY_US, Hearing
from streams.rows import Taken

NOW = 1_790_000_000 * SECOND


def value(device: str, at: int) -> Taken:
    """A heart rate of a device, taken at `at`."""
    observation = wire.Observation(code="8867-4", value=80.0, unit="/min", determined_at=at)
    entry = wire.Observed(
        unit="h1-icu-1",
        source="monitors",
        message_id=f"{device}-{at}",
        identity=b"i" * 32,
        received_at=at,
        mode="Test",
        observations=(observation,),
        bed="h1-icu-1-01",
        device=device,
    )
    return Taken("h1-icu-1", "in", f"{at // 1000}-0", b"", b"", entry)


def test_a_monitor_that_goes_on_is_told_of_now_and_then_and_nothing_of_it_is_lost() -> None:
    hearing, told = Hearing(), list[tuple[int, int]]()
    for second in range(61):
        if second not in range(31, 36):
            hearing.take([value("m-1", NOW + second * SECOND)])
        for heard in hearing.taken(NOW + second * SECOND).values():
            told.append((second, len(heard.offsets)))
    assert told == [(0, 1), (20, 20), (40, 15), (60, 20)]
    assert STEADY_US == 20 * SECOND


def test_a_device_that_comes_anew_or_again_after_a_silence_is_told_of_at_once() -> None:
    hearing = Hearing()
    hearing.take([value("m-1", NOW)])
    assert [who.device for who in hearing.taken(NOW)] == ["m-1"]
    hearing.take([value("m-1", NOW + SECOND), value("m-2", NOW + SECOND)])
    assert [who.device for who in hearing.taken(NOW + SECOND)] == ["m-2"]
    later = NOW + STEADY_US
    assert [who.device for who in hearing.taken(later)] == ["m-1"]
    hearing.take([value("m-1", later + 60 * SECOND)])
    ((who, heard),) = hearing.taken(later + 60 * SECOND).items()
    assert (who.device, heard.last_at) == ("m-1", later + 60 * SECOND)


def test_a_break_between_two_tellings_is_told_of() -> None:
    hearing = Hearing()
    hearing.take([value("m-1", NOW)])
    hearing.taken(NOW)
    hearing.take([value("m-1", NOW + SECOND), value("m-1", NOW + 9 * SECOND)])
    ((_, heard),) = hearing.taken(NOW + STEADY_US).items()
    assert heard.gap_us == 8 * SECOND
