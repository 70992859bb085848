"""The real SDK against a wicked stand-in: what it accepted is never sent again."""

import socket
from collections.abc import AsyncIterator

import pytest

from hospital_ops.database import Database
from hospital_ops.settings import Settings
from notify.providers import base
from notify.providers import twilio as adapter
from notify.providers.base import Outcome, Outgoing
from notify.providers.choose import Providers, providers
from notify.providers.console import Console
from notify.providers.http import HttpAggregator, Request
from notify.providers.twilio import Twilio, callback, is_signed
from tests.fakes.twilio import ACCEPTS, ACCOUNT, HOW, TOKEN, signature
from tests.fakes.twilio import Twilio as StandIn
from tests.integration import relatives
from tests.integration.relatives import Ward

PUBLIC = "https://ops.example/webhooks/twilio/status"
MESSAGE = Outgoing(
    message="11111111-1111-4111-8111-111111111111",
    attempt="22222222-2222-4222-8222-222222222222",
    hospital="h1",
    to="+79161234567",
    words="За сутки без изменений",
    validity_s=3600,
)


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with StandIn() as server:
        yield server


@pytest.fixture
async def twilio(stand_in: StandIn) -> AsyncIterator[Twilio]:
    provider = Twilio(ACCOUNT, TOKEN, sender="HOSPITAL", base_url=stand_in.url, callback_url=PUBLIC)
    yield provider
    await provider.close()


@pytest.fixture
async def ward(database_url: str, app: Database, two_hospitals: None) -> AsyncIterator[Ward]:
    async for one in relatives.ward(database_url, app):
        yield one


EXPECTED = {
    "well": base.TAKEN,
    "slow": base.TAKEN,
    "hang_after": base.UNKNOWN,
    "reset_after": base.UNKNOWN,
    "reset_before": base.UNKNOWN,
    "busy": base.AGAIN,
    "fail_before": base.UNKNOWN,
    "fail_after": base.UNKNOWN,
    "invalid": base.REFUSED,
    "landline": base.REFUSED,
    "stopped": base.REFUSED,
    "html": base.UNKNOWN,
}


@pytest.mark.parametrize("how", HOW)
async def test_each_way_to_answer_is_understood_with_care(
    twilio: Twilio, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "hang_after":  # all others answer, however slow this machine is
        monkeypatch.setattr(adapter, "TIMEOUT_S", 0.5)
    stand_in.how = [how]
    outcome = await twilio.send(MESSAGE)
    assert outcome.kind == EXPECTED[how]
    assert stand_in.asked == 1  # the SDK never tries by itself
    assert MESSAGE.to not in outcome.code
    if how in ACCEPTS:
        assert outcome.kind in (base.TAKEN, base.UNKNOWN)  # what may be out is never "again"


async def test_the_request_carries_what_was_agreed(twilio: Twilio, stand_in: StandIn) -> None:
    outcome = await twilio.send(MESSAGE)
    (form,) = stand_in.accepted
    assert outcome == Outcome(base.TAKEN, provider_id=form["Sid"])
    assert (form["To"], form["From"], form["Body"]) == (MESSAGE.to, "HOSPITAL", MESSAGE.words)
    assert form["ValidityPeriod"] == "3600"
    assert form["StatusCallback"] == callback(PUBLIC, MESSAGE)
    assert "+7916" not in form["StatusCallback"]


async def test_nobody_listening_is_safe_to_try_again() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        for provider in (
            Twilio(ACCOUNT, TOKEN, sender="X", base_url=f"http://127.0.0.1:{port}"),
            HttpAggregator(Request(url=f"http://127.0.0.1:{port}/send", fields={"to": "{to}"})),
        ):
            assert (await provider.send(MESSAGE)).kind == base.AGAIN
            await provider.close()


async def test_an_unknown_message_is_found_in_the_providers_list(
    twilio: Twilio, stand_in: StandIn
) -> None:
    stand_in.how = ["reset_after"]
    assert (await twilio.send(MESSAGE)).kind == base.UNKNOWN
    found = await twilio.find(MESSAGE, relatives.MORNING)
    assert found == Outcome(base.TAKEN, provider_id=stand_in.accepted[0]["Sid"])


async def test_whatever_the_provider_does_a_family_reads_it_once(
    ward: Ward, twilio: Twilio, stand_in: StandIn
) -> None:
    beds = [f"h1-icu-1-{n:02}" for n in range(1, 4)]
    ward.sender.providers = Providers(twilio, twilio)
    for number, bed in enumerate(beds):
        await ward.event("A01", bed, f"10{number}")
        await ward.measure(bed, f"10{number}")
        for relative in range(4):
            await ward.enable(bed, f"+7 916 123-4{number}-1{relative}")
    await ward.archive_is_fresh()
    await ward.planner.plan()
    for bed in beds:
        await ward.confirm(bed, course="unchanged")
    stand_in.how = [how for how in HOW if how != "hang_after"] + ["busy"]
    for _ in range(12):
        await ward.archive_is_fresh()
        await ward.send_all()
        ward.clock.advance(61)
        await ward.planner.tidy()
    read = [(form["To"], form["Body"]) for form in stand_in.accepted]
    assert len(read) == len(set(read))
    states = await ward.states()
    assert sorted(set(states)) == ["failed", "sent", "unknown"]
    assert states.count("failed") == 3


async def test_what_the_provider_lists_settles_an_unknown_message_and_absence_does_not(
    ward: Ward, twilio: Twilio, stand_in: StandIn
) -> None:
    ward.sender.providers = Providers(twilio, twilio)
    await ward.ready("h1-icu-1-01")
    stand_in.how = ["reset_before"]
    await ward.send_all()
    assert (await ward.sender.settle("h1"), await ward.states()) == (0, ["unknown"])
    stand_in.accepted.append(
        {"To": "+79161234567", "Body": str((await ward.todays())[0]["words"]), "Sid": "SM7"}
    )
    assert (await ward.sender.settle("h1"), await ward.states()) == (1, ["sent"])
    await ward.send_all()
    assert stand_in.asked == 1


def test_only_the_providers_own_signature_counts() -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    url = callback(PUBLIC, MESSAGE)
    good = signature(url, form)
    assert is_signed(TOKEN, url, form, good)
    assert not is_signed(TOKEN, url.replace("https", "http"), form, good)
    assert not is_signed(TOKEN, url, {**form, "MessageStatus": "failed"}, good)
    assert not is_signed("x" * 32, url, form, good)
    assert not is_signed("", url, form, good)


def test_a_demonstration_has_no_way_out_but_the_console() -> None:
    told = {"sms_provider": "twilio", "sms_legal_basis": "contract", "twilio_account_sid": ACCOUNT}
    ways = providers(Settings(demo=True, **told))  # type: ignore[arg-type]
    for mode in ("Real", "Test", "Demo"):
        assert isinstance(ways.of(mode), Console)


def test_without_a_named_legal_basis_no_provider_is_enabled() -> None:
    with pytest.raises(Exception, match="LEGAL_BASIS"):
        providers(Settings(sms_provider="twilio"))
