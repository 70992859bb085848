"""Who may do what: roles, places, tokens, lockout, sessions; settings and the log."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import access, log, settings, tokens
from hospital_ops.access import Failures, Permission, Principal, Role, SessionLimits
from hospital_ops.errors import ConfigurationError, NotFound

SECOND = 1_000_000
HOUR = 3600 * SECOND
NOW = 1_772_359_200 * SECOND


def somebody(role: Role, hospital: str = "h1", units: tuple[str, ...] = ("h1-ed",)) -> Principal:
    return Principal(actor="a", role=role, hospital=hospital, units=units, key="")


# Roles and places --------------------------------------------------------------------------------


def test_every_role_stands_in_the_table() -> None:
    assert set(access.PERMISSIONS) == set(Role)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_the_table_says_in_its_own_units_and_nothing_elsewhere(
    role: Role, permission: Permission
) -> None:
    person = somebody(role)
    assert access.allows(person, permission, "h1", "h1-ed") is (
        permission in access.PERMISSIONS[role]
    )
    assert not access.allows(person, permission, "h1", "h1-icu-1")
    assert not access.allows(person, permission, "h2", "h1-ed")
    assert not access.allows(person, permission, "h2")


def test_only_physicians_decide_a_colour_and_give_orders() -> None:
    for permission in (Permission.DECIDE_TRIAGE, Permission.ORDER):
        allowed = {role for role in Role if permission in access.PERMISSIONS[role]}
        assert allowed == {Role.ED_PHYSICIAN, Role.ICU_PHYSICIAN}


def test_a_wallboard_only_shows_and_a_device_only_sends() -> None:
    assert access.PERMISSIONS[Role.WALLBOARD] == {Permission.SEE_BOARD}
    for role in access.DEVICE_ROLES:
        assert access.PERMISSIONS[role] <= {Permission.SEND_VALUES, Permission.OPEN_CASE}


def test_all_units_means_all_of_the_own_hospital() -> None:
    nurse = somebody(Role.NURSE, units=access.ALL_UNITS)
    assert access.allows(nurse, Permission.SEE_BOARD, "h1", "h1-icu-1")
    assert not access.allows(nurse, Permission.SEE_BOARD, "h2", "h2-icu-1")


def test_what_one_may_not_do_is_answered_as_if_it_did_not_exist() -> None:
    with pytest.raises(NotFound):
        access.require(somebody(Role.NURSE), Permission.DECIDE_TRIAGE, "h1", "h1-ed")


# Passwords and tokens ----------------------------------------------------------------------------


async def test_a_password_fits_its_own_hash_only() -> None:
    stored = await access.hash_password("Медсестра-й-2026")
    assert stored.startswith("$argon2id$")
    assert await access.verify_password("Медсестра-й-2026", stored)
    # The same letter typed as two code points, as some keyboards do.
    assert await access.verify_password("Медсестра-и\u0306-2026", stored)
    assert not await access.verify_password("Медсестра-й-2027", stored)
    assert not access.needs_rehash(stored)


async def test_an_unknown_name_is_checked_with_the_same_work_and_never_fits() -> None:
    nobody = access._nobodys_hash()
    assert not access.needs_rehash(nobody)  # today's memory and passes: it takes as long
    assert not await access.verify_password("anything", None)
    assert not await access.verify_password("x" * 100_000, None)
    assert not await access.verify_password("\udc80", None)


def test_a_token_is_256_bits_and_names_its_hospital() -> None:
    token = tokens.new_token("h1")
    assert tokens.token_hospital(token) == "h1"
    assert token != tokens.new_token("h1")
    assert len(tokens.token_hash(token)) == 32
    for wrong in ("", "h1", "h1.", "h1.short", token + "x"):
        assert tokens.token_hospital(wrong) == ""


@pytest.mark.parametrize(
    ("origin", "has_cookie", "expected"),
    [
        ("https://ops.example", True, True),
        ("https://ops.example.evil", True, False),
        ("http://ops.example", True, False),
        ("https://ops.example:444", True, False),
        ("null", True, False),
        (None, True, False),
        (None, False, True),
        ("https://evil.example", False, False),
    ],
)
def test_only_listed_origins_open_a_socket(
    origin: str | None, has_cookie: bool, expected: bool
) -> None:
    allowed = {"https://ops.example"}
    assert tokens.origin_allowed(origin, allowed, has_cookie=has_cookie) is expected


# Lockout and sessions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (4, 0), (5, 15), (6, 30), (7, 60), (11, 900), (10_000, 900)]
)
def test_the_wait_begins_at_the_fifth_failure_and_doubles_up_to_a_quarter_hour(
    count: int, expected: int
) -> None:
    assert access.wait_s(Failures(of_both=count, last_of_both=NOW), NOW) == expected


def test_strangers_elsewhere_lock_a_physician_out_for_seconds_only() -> None:
    failures = Failures(of_name=10_000, last_of_name=NOW, of_address=0)
    assert access.wait_s(failures, NOW) == 30


@given(
    count=st.integers(0, 1_000_000), ago_s=st.integers(-10_000, 10_000), by_name=st.integers(0, 999)
)
def test_a_wait_is_never_negative_and_ends_even_when_the_clock_was_set_back(
    count: int, ago_s: int, by_name: int
) -> None:
    last = NOW - ago_s * SECOND
    wait = access.wait_s(
        Failures(of_both=count, last_of_both=last, of_name=by_name, last_of_name=last), NOW
    )
    assert 0 <= wait <= access.LOCKOUT_WINDOW_S


def test_a_session_ends_by_idleness_or_by_age_but_a_wallboard_shines_through_the_night() -> None:
    limits = SessionLimits(idle_h=2, absolute_h=14, wallboard_h=24 * 365)
    ends = limits.expires_at(Role.NURSE, NOW)
    assert ends == NOW + 14 * HOUR
    assert not limits.is_over(Role.NURSE, ends, NOW, NOW + 2 * HOUR - 1)
    assert limits.is_over(Role.NURSE, ends, NOW, NOW + 2 * HOUR)
    assert limits.is_over(Role.NURSE, ends, ends - 1, ends)
    wall = limits.expires_at(Role.WALLBOARD, NOW)
    assert not limits.is_over(Role.WALLBOARD, wall, NOW, NOW + 24 * 300 * HOUR)
    assert limits.is_over(Role.WALLBOARD, wall, wall, wall)


# Settings ----------------------------------------------------------------------------------------


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOSPITAL_OPS_DATABASE_URL", "mysql://admin:geheim@db/x")
    monkeypatch.setenv("HOSPITAL_OPS_HTTP_PORT", "99999")
    monkeypatch.setenv("HOSPITAL_OPS_ALLOWED_ORIGINS", "https://*.example")
    with pytest.raises(ConfigurationError) as refused:
        settings.load()
    for name in ("DATABASE_URL", "HTTP_PORT", "ALLOWED_ORIGINS"):
        assert f"HOSPITAL_OPS_{name}: " in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_a_source_of_messages_says_its_mode_and_its_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = {"name": "lab", "networks": ["127.0.0.1/32"], "hospital": "h1", "mode": "Test"}
    monkeypatch.setenv("HOSPITAL_OPS_MLLP_SOURCES", json.dumps([source]))
    assert settings.load().mllp_sources[0].units == ("*",)
    for change in ({"mode": None}, {"networks": ["everywhere"]}, {"zone": "Mars/Base"}):
        monkeypatch.setenv("HOSPITAL_OPS_MLLP_SOURCES", json.dumps([source | change]))
        with pytest.raises(ConfigurationError, match="HOSPITAL_OPS_MLLP_SOURCES"):
            settings.load()
    monkeypatch.setenv("HOSPITAL_OPS_MLLP_SOURCES", "[{")
    with pytest.raises(ConfigurationError, match="not valid JSON"):
        settings.load()


def test_origins_are_the_public_address_and_the_listed_ones() -> None:
    site = settings.load(public_url="https://ops.example/", allowed_origins="https://wall.example")
    assert site.origins == {"https://ops.example", "https://wall.example"}
    assert "http://127.0.0.1:8000" in settings.load(public_url="").origins


def test_a_misspelt_variable_is_found() -> None:
    given = {"HOSPITAL_OPS_HTP_PORT": "1", "HOSPITAL_OPS_HTTP_PORT": "1", "PATH": ""}
    assert settings.unknown_names(given) == ["HOSPITAL_OPS_HTP_PORT"]


# The log -----------------------------------------------------------------------------------------


@pytest.fixture
def own_log() -> Iterator[None]:
    """Gives the log of the test run back when the test has configured its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_cannot_be_forged_and_carries_no_patient(own_log: None) -> None:
    out = io.StringIO()
    said = "twice\nDETAIL:  Key (mrn)=(4711) already exists."
    log.configure("web", "info", out)
    with log.bound(unit="h1-icu-1"):
        log.get("test").info("lost\n{}", device="d\x1b[2J", mrn="4711", raw=b"MSH|^~")
    try:
        raise ValueError(said)
    except ValueError:
        log.get("test").exception("broken")
    first, second = out.getvalue().splitlines()
    line = json.loads(first)
    assert (line["unit"], line["process"], line["level"]) == ("h1-icu-1", "web", "info")
    assert "\x1b" not in first
    assert "4711" not in first + second
    assert "MSH" not in first
