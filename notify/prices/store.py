"""Prices of a part by provider: entered by the site, never assumed; what a day and a month cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import MessageError

PROVIDERS: Final = ("http", "twilio")  # the console costs nothing and takes no price
_HIGHEST: Final = Decimal(1000)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")

_SPENT: Final = """
select p.currency, coalesce(sum(m.parts) filter (where m.local_date = $2), 0)::int as parts_today,
       coalesce(sum(m.parts), 0)::int as parts_month,
       coalesce(sum(p.cost) filter (where m.local_date = $2), 0) as cost_today,
       coalesce(sum(p.cost), 0) as cost_month
  from relative_message m left join lateral relative_cost(m) p on true
 where m.unit = $1 and m.local_date between date_trunc('month', $2::date)::date and $2
   and (m.sent_at is not null or m.state = 'unknown')
 group by p.currency order by p.currency nulls last
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one part costs with a provider; None: nobody has said."""

    provider: str
    price: Decimal | None
    currency: str


def read(given: Mapping[str, Any]) -> Price:
    """A price as a form or a call gives it: `provider`, `price` ("" ends it), `currency`.

    Raises MessageError.
    """
    provider = str(given.get("provider", ""))
    if provider not in PROVIDERS:
        raise MessageError("bad_provider", f"`provider` is one of {', '.join(PROVIDERS)}")
    text = str(given.get("price", "")).strip().replace(",", ".")
    if not text:
        return Price(provider=provider, price=None, currency="")
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise MessageError("bad_price", "`price` is a number such as 2.35, of one part") from error
    if not price.is_finite() or not 0 <= price <= _HIGHEST:
        raise MessageError("bad_price", f"`price` of one part lies between 0 and {_HIGHEST}")
    currency = str(given.get("currency", "")).strip().upper()
    if not _CURRENCY.fullmatch(currency):
        raise MessageError("bad_currency", "`currency` has three letters, such as RUB (ISO 4217)")
    return Price(provider=provider, price=price, currency=currency)


async def enter(connection: Connection, by: Scope, unit: str, wanted: Price, now: int) -> None:
    """The price from now on, for the whole hospital; audited."""
    await connection.execute(
        "insert into relative_price values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        by.hospital,
        wanted.provider,
        to_datetime(now),
        wanted.price,
        wanted.currency,
        by.actor,
    )
    detail = f"{wanted.provider} {wanted.price} {wanted.currency}"
    await audit.append(connection, unit, by, "set_message_price", by.hospital, detail, now)


async def entered(connection: Connection) -> list[Record]:
    """Every entry of the hospital (provider, price, currency, since, set_by), newest first."""
    return await connection.fetch(
        "select provider, price, currency, since, set_by from relative_price order by since desc"
    )


async def spent(connection: Connection, unit: str, today: date) -> list[Record]:
    """Parts and cost of what left today and in the month, by currency; those without one last."""
    return await connection.fetch(_SPENT, unit, today)
