"""Phone numbers as people write them, and whether an SMS can reach one."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from hospital_ops.errors import MessageError

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class Phone:
    """A valid number: E.164, and whether it may take an SMS."""

    e164: str
    mobile: bool

    @property
    def last_two(self) -> str:
        """What pages show of it."""
        return self.e164[-2:]


def read(text: str, region: str = "RU") -> Phone:
    """The number of `text`, with the region's own way of writing it. Raises MessageError."""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise MessageError("bad_number", "write the number with its country, as +7 ...") from error
    if not phonenumbers.is_valid_number(number):
        raise MessageError("bad_number", "this number does not exist: ask for it again")
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Phone(e164, phonenumbers.number_type(number) in _MOBILE)
