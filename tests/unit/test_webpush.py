"""Web Push: the worked example of the RFC, a signature anybody can check, and who is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hospital_ops import webpush
from hospital_ops.webpush import BadSubscription, decoded
from notify.push.post import GONE, LATER, REFUSED, TAKEN, Posted, allowed, meant
from notify.push.sender import payload
from notify.push.store import Due

# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SALT, AUTH = "DGv6ra1nlYgDCS1FRnbzlw", "BTBZMqHH6r4Tts7J_aSIgg"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6"
    "TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulc"
    "y4a-fN"
)


def test_a_body_is_that_of_the_worked_example_of_the_rfc() -> None:
    sender = ec.derive_private_key(int.from_bytes(decoded(SENDER)), ec.SECP256R1())
    body = webpush.encrypted(PLAIN, BROWSER, AUTH, sender, decoded(SALT))
    assert webpush.encoded(body) == BODY


def test_every_body_is_another_one() -> None:
    assert webpush.sealed(PLAIN, BROWSER, AUTH) != webpush.sealed(PLAIN, BROWSER, AUTH)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", AUTH), (BROWSER[:-2], AUTH), ("B" + "A" * 86, AUTH), (BROWSER, ""), ("!" * 87, AUTH)],
)
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(BadSubscription):
        webpush.checked(p256dh, auth)


def test_a_push_service_can_check_who_sends() -> None:
    key = webpush.private_key(b"an installation")
    assert webpush.public_text(key) == webpush.public_text(webpush.private_key(b"an installation"))
    header = webpush.authorization("https://push.example:8443/x/y", key, "mailto:it@h.example", 100)
    scheme, token, public = header.replace(",", "").split(" ")
    assert scheme == "vapid"
    head, claims, signature = token.removeprefix("t=").split(".")
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(decoded(claims)) == {
        "aud": "https://push.example:8443", "exp": 100 + 12 * 3600, "sub": "mailto:it@h.example",
    }  # fmt: skip
    raw = decoded(signature)
    signed = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    point = decoded(public.removeprefix("k="))
    seen = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    seen.verify(signed, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("endpoint", "yes"),
    [
        ("https://push.example/a", True),
        ("https://eu.push.example.net/a", True),
        ("https://push.example:444/a", False),
        ("http://push.example/a", False),
        ("https://push.example.evil/a", False),
        ("https://evilpush.example.net/a", False),
        ("https://a:b@push.example/a", False),
        ("https://169.254.169.254/", False),
        ("https://[::1/", False),
        ("javascript:alert(1)", False),
    ],
)
def test_only_push_services_that_the_site_has_named_are_asked(endpoint: str, yes: bool) -> None:
    assert allowed(endpoint, ("push.example", "*.push.example.net")) is yes
    assert not allowed(endpoint, ())


@pytest.mark.parametrize(
    ("status", "retry", "posted"),
    [
        (201, "", Posted(TAKEN)),
        (404, "", Posted(GONE)),
        (410, "", Posted(GONE)),
        (429, "120", Posted(LATER, 120)),
        (429, "99999999999999", Posted(LATER)),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", Posted(LATER)),
        (413, "", Posted(REFUSED)),
        (302, "", Posted(REFUSED)),
    ],
)
def test_what_a_push_service_answers_is_understood(status: int, retry: str, posted: Posted) -> None:
    assert meant(status, retry) == posted


def test_a_call_says_a_bed_and_a_unit_and_nothing_of_whoever_lies_there() -> None:
    due = Due(
        UUID(int=1), "nurse.h1", UUID(int=2), datetime(2026, 3, 1, tzinfo=UTC), "h1-icu-1-07", "7",
        "ICU 1", "https://push.example/a", BROWSER, AUTH, "ru",
    )  # fmt: skip
    said = json.loads(payload(due))
    assert said == {
        "title": "Вас вызывают", "body": "Место 7, ICU 1: тревога ждёт вас.",
        "url": "/icu/beds/h1-icu-1-07", "tag": "h1-icu-1-07",
    }  # fmt: skip
