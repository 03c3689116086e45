"""The document formats of this installation, as the settings want them."""

from __future__ import annotations

from adapters import cap
from adapters.cap.sign import SignedFormat
from broadcaster.errors import SettingsError
from broadcaster.settings import Settings
from broadcaster.web.context import AlertFormat


def cap_format(settings: Settings) -> AlertFormat:
    """CAP; signed, where a key is configured. `SettingsError` when it cannot be used."""
    key, certificate = settings.feeds.signing_key, settings.feeds.signing_certificate
    if key is None and certificate is None:
        return cap
    if key is None or certificate is None:
        raise SettingsError(
            "feeds.signing_key 和 feeds.signing_certificate 只写了一个。", remedy="请两个都写，或都不写。"
        )
    return SignedFormat.of(key, certificate)
