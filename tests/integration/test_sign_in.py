"""Who signs in and who does not; places and devices of two hospitals."""

import asyncio

import pytest

from hospital_ops import accounts, audit, tokens
from hospital_ops.access import Role
from hospital_ops.accounts import SignInRefused
from hospital_ops.clock import SECOND, ManualClock
from hospital_ops.database import Database
from hospital_ops.errors import ConfigurationError, NotFound
from hospital_ops.installation import store as installation
from tests.integration.two_hospitals import ADMIN, NOW, PASSWORD


async def refused(app: Database, name: str, password: str, clock: ManualClock) -> SignInRefused:
    with pytest.raises(SignInRefused) as error:
        await accounts.sign_in(app, name, password, "10.0.0.1", clock)
    return error.value


async def test_a_nurse_signs_in_and_out_and_the_audit_tells(
    app: Database, owner: Database, writer: Database, two_hospitals: None
) -> None:
    clock = ManualClock(NOW)
    signed = await accounts.sign_in(app, " nurse.h1 ", PASSWORD, "10.0.0.1", clock)
    assert signed.principal.hospital == tokens.token_hospital(signed.token) == "h1"
    assert signed.principal.key == tokens.token_hash(signed.token).hex()
    projection = await installation.projection_rows(writer, clock.now_us())
    assert projection.sessions == [signed.principal]
    await accounts.sign_out(app, signed.principal, clock.now_us())
    assert (await installation.projection_rows(writer, clock.now_us())).sessions == []
    async with app.transaction(ADMIN["h1"]) as connection:
        rows = await audit.read(connection, "h1-hall", limit=2)
    assert [(row.action, row.actor) for row in rows] == [
        ("sign_out", "nurse.h1"),
        ("sign_in", "nurse.h1"),
    ]
    async with owner.transaction() as connection:
        assert await audit.verify(connection, "h1-hall") == []


async def test_a_session_leaves_the_projection_when_its_time_is_over(
    app: Database, writer: Database, two_hospitals: None
) -> None:
    signed = await accounts.sign_in(app, "nurse.h1", PASSWORD, "10.0.0.1", ManualClock(NOW))
    assert signed.principal.expires_at == NOW + 14 * 3600 * SECOND
    assert not (await installation.projection_rows(writer, NOW + 14 * 3600 * SECOND)).sessions


async def test_wrong_name_wrong_password_and_disabled_account_get_the_same_sentence(
    app: Database, writer: Database, two_hospitals: None
) -> None:
    clock = ManualClock(NOW)
    await accounts.sign_in(app, "nurse.h1", PASSWORD, "10.0.0.9", clock)
    unknown = await refused(app, "nobody\x00", PASSWORD, clock)
    wrong = await refused(app, "nurse.h1", "wrong", clock)
    async with app.transaction(ADMIN["h1"]) as connection:
        ended = await accounts.disable_account(connection, ADMIN["h1"], "nurse.h1", NOW)
    assert len(ended) == 1
    disabled = await refused(app, "nurse.h1", PASSWORD, clock)
    assert str(unknown) == str(wrong) == str(disabled)
    assert unknown.wait_s == wrong.wait_s == disabled.wait_s == 0
    assert not (await installation.projection_rows(writer, NOW)).sessions


@pytest.mark.parametrize("name", ["nurse.h1", "nobody"])
async def test_the_fifth_failure_locks_this_name_at_this_address_for_a_while(
    app: Database, two_hospitals: None, name: str
) -> None:
    clock = ManualClock(NOW)
    await asyncio.gather(*(refused(app, name, "wrong", clock) for _ in range(5)))
    locked = await refused(app, name, PASSWORD, clock)
    assert locked.wait_s == 15
    assert "Wait 15 seconds" in str(locked)
    if name == "nurse.h1":
        elsewhere = await accounts.sign_in(app, name, PASSWORD, "10.0.0.2", clock)
        assert elsewhere.token
        clock.advance(15)
        assert (await accounts.sign_in(app, name, PASSWORD, "10.0.0.1", clock)).token
        await refused(app, name, "wrong", clock)  # counted anew after a success
        assert (await accounts.sign_in(app, name, PASSWORD, "10.0.0.1", clock)).token


async def test_a_new_password_ends_the_old_sessions(
    app: Database, writer: Database, two_hospitals: None
) -> None:
    clock = ManualClock(NOW)
    signed = await accounts.sign_in(app, "nurse.h1", PASSWORD, "10.0.0.1", clock)
    by = ADMIN["h1"]
    async with app.transaction(by) as connection:
        ended = await accounts.set_password(connection, by, "nurse.h1", PASSWORD + "2", NOW)
    assert ended == [signed.principal.key]
    await refused(app, "nurse.h1", PASSWORD, clock)
    assert (await accounts.sign_in(app, "nurse.h1", PASSWORD + "2", "10.0.0.1", clock)).token


async def test_an_administrator_cannot_touch_an_account_of_another_hospital(
    app: Database, two_hospitals: None
) -> None:
    by = ADMIN["h2"]
    with pytest.raises(NotFound):
        async with app.transaction(by) as connection:
            await accounts.disable_account(connection, by, "nurse.h1", NOW)
    with pytest.raises(ConfigurationError, match="taken"):
        async with app.transaction(by) as connection:
            await accounts.ensure_account(connection, by, "nurse.h1", Role.NURSE, PASSWORD, NOW)


async def test_setting_up_again_changes_nothing_and_writes_no_audit(
    app: Database, two_hospitals: None
) -> None:
    by = ADMIN["h1"]
    async with app.transaction(by) as connection:
        before = await audit.read(connection, "h1-hall")
        await installation.ensure_hospital(connection, by, "Hospital h1", NOW)
        await installation.ensure_unit(connection, by, "h1-ed", "ed", "h1-ed", NOW)
        await installation.ensure_beds(connection, by, "h1-ed", [("h1-ed-01", "1")], NOW)
        await installation.ensure_device(connection, by, "h1-tablet-1", "tablet", "Demo", NOW)
        assert not await accounts.ensure_account(
            connection, by, "nurse.h1", Role.NURSE, PASSWORD, NOW
        )
        assert await audit.read(connection, "h1-hall") == before


async def test_a_device_token_replaces_the_former_and_can_be_revoked(
    app: Database, writer: Database, two_hospitals: None
) -> None:
    by = ADMIN["h1"]
    async with app.transaction(by) as connection:
        await installation.issue_device_token(connection, by, "h1-tablet-1", NOW)
        token = await installation.issue_device_token(connection, by, "h1-tablet-1", NOW)
    projection = await installation.projection_rows(writer, NOW)
    assert [row.key for row in projection.devices] == [tokens.token_hash(token).hex()]
    assert [unit.unit for unit in projection.units] == ["h1-ed", "h1-icu-1", "h2-ed", "h2-icu-1"]
    assert projection.units[0].beds[0] == ("h1-ed-01", "1")
    async with app.transaction(by) as connection:
        await installation.revoke_device(connection, by, "h1-tablet-1", NOW)
    assert (await installation.projection_rows(writer, NOW)).devices == []
    with pytest.raises(NotFound):
        async with app.transaction(by) as connection:
            await installation.issue_device_token(connection, by, "h2-tablet-1", NOW)
