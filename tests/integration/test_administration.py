"""An operator sets up a hospital from the command line; nothing secret is stored in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hospital_ops import __main__ as program
from hospital_ops import accounts, database, tokens
from hospital_ops.clock import SystemClock
from hospital_ops.installation import store

Operator = Callable[..., tuple[int, str]]


@pytest.fixture
def operator(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """What a shell on the hospital's machine would run: (exit status, what it printed)."""
    monkeypatch.setenv("HOSPITAL_OPS_DATABASE_URL", database_url)

    def run(*line: str) -> tuple[int, str]:
        status = program.main([line[0], line[1], "--hospital", "h9", *line[2:]])
        said = capsys.readouterr()
        return status, (said.out or said.err).strip()

    assert run("unit", "hospital", "Ninth")[0] == 0
    assert run("unit", "add", "h9-icu-1", "--kind", "icu", "--name", "ICU", "--beds", "3")[0] == 0
    return run


def test_a_new_physician_signs_in_with_the_password_that_was_printed_until_disabled(
    operator: Operator, database_url: str
) -> None:
    _, said = operator("user", "add", "dr.nine", "--role", "icu_physician")
    password = said.partition(": ")[2]

    async def sign_in() -> str:
        app = await database.connect(database_url, "app", name="test")
        try:
            found = await accounts.sign_in(app, "dr.nine", password, "127.0.0.1", SystemClock())
            return found.principal.hospital
        finally:
            await app.close()

    assert asyncio.run(sign_in()) == "h9"
    assert operator("user", "disable", "dr.nine")[1] == "dr.nine is disabled; 1 sessions ended."
    with pytest.raises(accounts.SignInRefused):
        asyncio.run(sign_in())


def test_a_device_token_is_printed_once_and_only_its_hash_is_kept(
    operator: Operator, database_url: str
) -> None:
    _, said = operator("device", "add", "h9-tab", "--kind", "tablet", "--mode", "Test")
    token = said.partition(": ")[2]

    async def keys() -> list[str]:
        writer = await database.connect(database_url, "writer", name="test")
        try:
            rows = await store.projection_rows(writer, SystemClock().now_us())
            return [device.key for device in rows.devices]
        finally:
            await writer.close()

    assert asyncio.run(keys()) == [tokens.token_hash(token).hex()]
    operator("device", "revoke", "h9-tab")
    assert asyncio.run(keys()) == []


def test_a_unit_that_is_not_named_after_its_hospital_is_refused_in_words(
    operator: Operator,
) -> None:
    status, said = operator("unit", "add", "h8-icu-1", "--kind", "icu", "--name", "ICU")
    assert status == 2
    assert "h9-" in said


def test_units_are_listed_with_their_beds(operator: Operator) -> None:
    assert "3 beds" in operator("unit", "list")[1]
