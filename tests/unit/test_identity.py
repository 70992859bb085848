"""Ids that come out the same every time."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import identity


def as_numbers(message: bytes, index: int) -> str:
    """The same id by arithmetic, as RFC 9562 describes version 8."""
    number = int.from_bytes(message[:14]) << 16 | (index & 0xFFFF)
    number = number & ~(0xF << 76) | (0x8 << 76)
    return str(UUID(int=number & ~(0x3 << 62) | (0x2 << 62)))


@given(st.binary(max_size=40), st.integers(0, 70_000))
def test_an_events_id_is_a_uuid_of_its_message_and_place(message: bytes, index: int) -> None:
    found = identity.event_id(message, index)
    assert found == as_numbers(message, index)
    assert UUID(found).version == 8


@given(st.binary(max_size=40), st.integers(0, 200))
def test_the_ids_of_a_message_are_those_of_its_events(message: bytes, count: int) -> None:
    ids = [str(UUID(bytes=key)) for key in identity.event_ids(message, count)]
    assert ids == [identity.event_id(message, index) for index in range(count)]
    assert len(set(ids)) == count
