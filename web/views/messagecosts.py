"""What messages cost, in the words of the page: each, today, this month; no price is guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from hospital_ops.database import Record
from web.words import Words

Row: TypeAlias = Record | Mapping[str, Any]  # a message, or one with its draft


def cost_of(row: Row, words: Words) -> str:
    """What one message that left has cost; empty: it has not left."""
    if row["sent_at"] is None and row["state"] != "unknown":
        return ""
    if row["cost"] is None:
        return words.t("relatives.prices.none")
    return _money(row["cost"], row["currency"], words, exact=True)


def spent(rows: Sequence[Record], words: Words, *, priced: bool) -> str:
    """`SMS parts sent: 4 today, 31 this month · cost: 9.40 RUB today, 72.85 RUB this month`."""
    today = sum(row["parts_today"] for row in rows)
    month = sum(row["parts_month"] for row in rows)
    said = [words.t("relatives.parts_sent", today=today, month=month)]
    said += [
        words.t(
            "relatives.cost",
            today=_money(row["cost_today"], row["currency"], words),
            month=_money(row["cost_month"], row["currency"], words),
        )
        for row in rows
        if row["currency"] is not None
    ]
    without = sum(row["parts_month"] for row in rows if row["currency"] is None)
    if not priced:
        said.append(words.t("relatives.prices.none"))
    elif without:
        said.append(words.t("relatives.prices.without", n=without))
    return " · ".join(said)


def entries(rows: Iterable[Record], words: Words, zone: str) -> list[dict[str, str]]:
    """Prices as entered, newest first, for the table."""
    return [
        {
            "provider": words.t(f"relatives.provider.{row['provider']}"),
            "price": words.t("relatives.prices.none")
            if row["price"] is None
            else _money(row["price"], row["currency"], words, exact=True),
            "since": f"{row['since'].astimezone(ZoneInfo(zone)):%d.%m.%Y %H:%M}",
            "by": row["set_by"],
        }
        for row in rows
    ]


def _money(amount: Decimal, currency: str, words: Words, *, exact: bool = False) -> str:
    """Two digits after the sign; `exact`: more where the price has more."""
    digits = max(2, -int(amount.normalize().as_tuple().exponent)) if exact else 2
    text = f"{amount:.{digits}f}"
    return f"{text.replace('.', ',') if words.language == 'ru' else text}\u00a0{currency}"
