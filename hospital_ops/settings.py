"""What a site sets: environment variables HOSPITAL_OPS_*, or files of those names for secrets.

Secrets may lie in the folder HOSPITAL_OPS_SECRETS_DIR, one file each, named as the variable in
lower case. A value that cannot be used stops the start with a sentence that names the variable and
never repeats the value.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hospital_ops.access import SessionLimits
from hospital_ops.errors import ConfigurationError

PREFIX: Final = "HOSPITAL_OPS_"
# Read by `load`, by the tests and by the build, not by the class.
_OTHER_NAMES: Final = frozenset({"SECRETS_DIR", "RECORDINGS"})

Port = Annotated[int, Field(ge=0, le=65535)]
Days = Annotated[int, Field(ge=2, le=36_500)]
Hours = Annotated[float, Field(gt=0, le=24 * 400)]


class MllpSource(BaseModel):
    """A named sender without a token: who, from where, and which units it may name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64)
    networks: tuple[str, ...] = ()  # "10.1.2.0/24", "127.0.0.1/32"; empty only with a certificate
    hospital: str = Field(min_length=1)
    units: tuple[str, ...] = ("*",)
    mode: Literal["Real", "Test", "Demo"]  # no default: nothing simulated may pass as real
    zone: str = "UTC"  # of times sent without an offset; empty (HTTP): the one that fits
    charset: str = ""  # as in MSH-18 (8859/5), of a sender that leaves it empty
    certificate: str = ""  # common name of its client certificate, on the TLS port

    @field_validator("networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError("needs networks such as 10.1.2.0/24 or 127.0.0.1/32") from error
        return networks

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        return _named_zone(zone) if zone else ""

    @model_validator(mode="after")
    def _known_by(self) -> Self:
        if not self.networks and not self.certificate:
            raise ValueError("needs networks such as 10.1.2.0/24, or the name in its certificate")
        return self


def _named_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("is not a zone of the tz database, such as Europe/Moscow") from error
    return zone


class Settings(BaseSettings):
    """Everything a site may set; the defaults are one machine with embedded servers."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # Empty: the embedded servers. Both may hold a password, so they are not shown.
    redis_url: str = Field(default="", repr=False)
    database_url: str = Field(default="", repr=False)
    data_dir: Path = Path("data")
    demo: bool = False
    zone: str = "Europe/Moscow"  # in which boards write clock times
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    http_host: str = "127.0.0.1"
    http_port: Port = 8000
    public_url: str = ""  # what browsers and the SMS provider call; empty: http://HOST:PORT
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()  # beside public_url

    mllp_host: str = "127.0.0.1"
    mllp_port: Port = 2575
    mllp_sources: tuple[MllpSource, ...] = ()
    # MLLP over TLS, beside the plain port; senders show a certificate of this authority. PEM files.
    mllp_tls_port: Port = 0  # 0: none
    mllp_tls_certificate: Path | None = None
    mllp_tls_key: Path | None = None
    mllp_tls_clients: Path | None = None
    http_sources: tuple[MllpSource, ...] = ()  # that post without a token, by their address

    # The box of a unit (serve edge): its token, the keys of its disk, the room it may take, and the
    # only certificates that it believes (PEM: an authority, or the hospital's own certificate).
    edge_token: SecretStr = SecretStr("")
    edge_keys: SecretStr = SecretStr("")  # id:base64,...; empty: made in the data directory
    edge_ca: Path | None = None
    edge_room_mib: Annotated[int, Field(ge=16, le=1 << 24)] = 8192

    # Our own look at the live ECG (arrhythmias). Off: boards say so; the monitors' alarms remain.
    ecg_analysis: bool = True

    board_days: Annotated[int, Field(ge=1, le=3650)] = 30  # so long what boards showed is kept

    # How many days each kind of data is kept, as the hospital's law and archive say; what is not
    # named is kept for ever (`hospital-ops retention`).
    keep_days: dict[Literal["waveforms", "numerics", "alarms", "messages", "refused"], Days] = {}

    # Curves older than this are packed without loss (docs/decisions/0033).
    pack_after_h: Hours = 24.0
    session_idle_h: Hours = 2.0
    session_absolute_h: Hours = 14.0
    wallboard_session_h: Hours = 24.0 * 365

    sms_provider: Literal["console", "twilio", "http", "smpp"] = "console"
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = ""
    twilio_messaging_service_sid: str = ""
    twilio_base_url: str = ""
    # Health data leave the house only by a provider whose legal basis somebody has named.
    sms_legal_basis: str = ""
    sms_http_url: str = ""
    sms_http_fields: str = '{"to": "{to}", "text": "{words}", "reference": "{reference}"}'
    sms_http_headers: SecretStr = SecretStr("")  # a JSON object; holds the provider's key
    sms_http_form: bool = False
    sms_http_id_path: str = "id"
    number_keys: SecretStr = SecretStr("")  # id:base64,...; empty: made in the data directory

    # Push services that may be asked to call browsers: exact hosts, or *.example; empty: none.
    push_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    push_contact: str = ""  # mailto: or https: of whoever answers for it (RFC 8292)

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        return _named_zone(zone)

    @field_validator("allowed_origins", "push_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _exact(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _is_origin(origin):
                raise ValueError("needs exact origins such as https://ops.example, no paths or *")
        return origins

    @field_validator("public_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and not _is_origin(url.rstrip("/")):
            raise ValueError("needs an address such as https://ops.example, without a path")
        return url.rstrip("/")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str) -> str:
        return _scheme(url, ("redis://", "rediss://", "unix://"))

    @field_validator("database_url")
    @classmethod
    def _database(cls, url: str) -> str:
        return _scheme(url, ("postgresql://", "postgres://"))

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose pages may open sockets and send unsafe requests."""
        own = (self.public_url,) if self.public_url else _local_origins(self)
        return frozenset((*own, *self.allowed_origins))

    @property
    def session_limits(self) -> SessionLimits:
        """How long sessions last."""
        return SessionLimits(
            idle_h=self.session_idle_h,
            absolute_h=self.session_absolute_h,
            wallboard_h=self.wallboard_session_h,
        )


def load(**given: Any) -> Settings:
    """The settings of the environment; `given` (the command line) goes first.

    Raises ConfigurationError that names each variable at fault.
    """
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise ConfigurationError(f"{PREFIX}SECRETS_DIR is not a folder that can be read.")
    try:
        return Settings(**{"_secrets_dir": folder, **given})
    except ValidationError as error:
        raise ConfigurationError(" ".join(_sentence(dict(one)) for one in error.errors())) from None
    except ValueError as error:  # pydantic-settings: not JSON where JSON is needed
        name = str(error).split('"')[1] if '"' in str(error) else "A setting"
        raise ConfigurationError(f"{PREFIX}{name.upper()} is not valid JSON.") from None


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that nobody reads: most often a slip of the pen, for `doctor`."""
    known = {name.upper() for name in Settings.model_fields} | _OTHER_NAMES
    names = (name for name in environment if name.startswith(PREFIX))
    return sorted(name for name in names if name.removeprefix(PREFIX) not in known)


def _sentence(error: dict[str, Any]) -> str:
    first, *rest = error["loc"] or ("settings",)
    where = "".join(f" (item {part})" if isinstance(part, int) else f" {part}" for part in rest)
    said = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{PREFIX}{str(first).upper()}{where}: {said[0].lower()}{said[1:]}."


def _scheme(url: str, schemes: tuple[str, ...]) -> str:
    if url and not url.startswith(schemes):
        raise ValueError(f"has to start with {' or '.join(schemes)}")
    return url


def _is_origin(text: str) -> bool:
    scheme, mark, place = text.partition("://")
    plain = place and not set(place) & set("/?#*@ ")
    return scheme in ("http", "https") and mark == "://" and bool(plain)


def _local_origins(settings: Settings) -> tuple[str, ...]:
    hosts = {settings.http_host, "127.0.0.1", "localhost"}
    return tuple(f"http://{host}:{settings.http_port}" for host in hosts)


def as_environment(loaded: Settings) -> dict[str, str]:
    """The variables that make a child process load the same settings; secrets stay where they are.

    Addresses of servers are left to the caller, who knows those that it has started.
    """
    shared: dict[str, Any] = {
        "DEMO": "true" if loaded.demo else "false",
        "DATA_DIR": str(loaded.data_dir),
        "ZONE": loaded.zone,
        "LOG_LEVEL": loaded.log_level,
        "HTTP_HOST": loaded.http_host,
        "HTTP_PORT": str(loaded.http_port),
        "MLLP_HOST": loaded.mllp_host,
        "MLLP_PORT": str(loaded.mllp_port),
        "MLLP_SOURCES": "[" + ",".join(s.model_dump_json() for s in loaded.mllp_sources) + "]",
        "PACK_AFTER_H": str(loaded.pack_after_h),
        "HTTP_SOURCES": "[" + ",".join(s.model_dump_json() for s in loaded.http_sources) + "]",
    }
    return {f"{PREFIX}{name}": value for name, value in shared.items()}
