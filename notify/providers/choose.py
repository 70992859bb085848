"""Which way out a message takes. Nothing but a real patient's message reaches a real provider."""

from __future__ import annotations

import json
from pathlib import Path

from hospital_ops.errors import ConfigurationError
from hospital_ops.settings import Settings
from notify.providers.base import Provider
from notify.providers.console import Console
from notify.providers.http import HttpAggregator, Request


class Providers:
    """The console and, where one is enabled, the site's provider."""

    def __init__(self, console: Provider, real: Provider | None) -> None:
        self.console, self.real = console, real

    def of(self, mode: str) -> Provider:
        """By the patient's mode: Demo and Test go to the console, whatever is set (SAFETY I18)."""
        return self.real if mode == "Real" and self.real is not None else self.console

    async def close(self) -> None:
        """Ends what is open."""
        await self.console.close()
        if self.real is not None:
            await self.real.close()


def providers(settings: Settings) -> Providers:
    """By the settings; a demonstration has the console alone. Raises ConfigurationError."""
    console = Console(Path(settings.data_dir))
    if settings.demo or settings.sms_provider == "console":
        return Providers(console, None)
    if not settings.sms_legal_basis:
        raise ConfigurationError(
            "HOSPITAL_OPS_SMS_LEGAL_BASIS names the law or contract by which health data may go to"
            " the SMS provider: without it messages stay on the console provider."
        )
    return Providers(console, _real(settings))


def _real(settings: Settings) -> Provider:
    if settings.sms_provider == "http":
        return HttpAggregator(_request(settings))
    if settings.sms_provider == "twilio":
        from notify.providers.twilio import Twilio  # its import takes a second: only where used

        return Twilio(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            sender=settings.twilio_from,
            messaging_service=settings.twilio_messaging_service_sid,
            base_url=settings.twilio_base_url,
            callback_url=f"{settings.public_url}/webhooks/twilio/status"
            if settings.public_url
            else "",
        )
    raise ConfigurationError(
        f"HOSPITAL_OPS_SMS_PROVIDER={settings.sms_provider} is not built: use console, http or"
        " twilio."
    )


def _request(settings: Settings) -> Request:
    try:
        fields = json.loads(settings.sms_http_fields)
        headers = json.loads(settings.sms_http_headers.get_secret_value() or "{}")
    except ValueError as error:
        raise ConfigurationError(
            'HOSPITAL_OPS_SMS_HTTP_FIELDS and _HEADERS are JSON objects such as {"to": "{to}"}.'
        ) from error
    return Request(
        url=settings.sms_http_url,
        fields=fields,
        headers=headers,
        form=settings.sms_http_form,
        id_path=settings.sms_http_id_path,
    )
