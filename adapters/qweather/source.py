"""QWeather's Weather Alert interface as a source; `kind = "qweather"`. Requests carry a token that is signed with the
project's key (EdDSA) and holds for a quarter of an hour."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.bulletins import Bulletin, BulletinDialect, BulletinOptions
from adapters.fetching import Ask, DocumentSource
from adapters.fetching.options import named
from broadcaster.alerts.alert import Colour, MsgType
from broadcaster.errors import SettingsError
from broadcaster.sources import SourceSettings

HOLDS = 900
"""Seconds that a token holds; the service accepts up to a day."""

EARLY = 30
"""Seconds before now from which it holds: clocks differ."""

_DEEDS = {"alert": MsgType.ALERT, "new": MsgType.ALERT, "update": MsgType.UPDATE, "cancel": MsgType.CANCEL}
_COLOURS = {colour.value: colour for colour in Colour}


class QWeatherOptions(BulletinOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`key_id` and `project_id` as the service's console shows them; `private_key` the PEM text of the Ed25519 key
    whose public half was uploaded there."""

    key_id: Annotated[str, msgspec.Meta(min_length=1)]
    project_id: Annotated[str, msgspec.Meta(min_length=1)]
    private_key: Annotated[str, msgspec.Meta(min_length=1)]
    region: Annotated[str, msgspec.Meta(pattern=r"^\d{6}(\d{3}){0,3}$", description="6、9、12 或 15 位区划代码")]


class _Deed(msgspec.Struct, frozen=True, rename="camel"):
    code: str = "alert"
    supersedes: tuple[str, ...] | None = None


class _Named(msgspec.Struct, frozen=True):
    code: str = ""
    name: str = ""


class _Entry(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    issued_time: str
    headline: str
    description: str = ""
    sender_name: str | None = ""
    message_type: _Deed = _Deed()
    event_type: _Named = _Named()
    color: _Named | None = None
    onset_time: str | None = None
    effective_time: str | None = None
    expire_time: str | None = None
    expired_time: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    alerts: list[msgspec.Raw]


class QWeatherDialect(BulletinDialect):
    """One place's warnings."""

    def __init__(self, settings: SourceSettings, options: QWeatherOptions) -> None:
        super().__init__(settings)
        self._options = options
        self._key = _key(settings, options)

    def ask(self, now: datetime) -> Ask:
        """The configured address, with a fresh token."""
        return Ask(self._settings.address, {"Authorization": f"Bearer {self.token(now)}"})

    def token(self, now: datetime) -> str:
        """A JSON Web Token (RFC 7519, RFC 8037) that holds now."""
        issued = int(now.timestamp()) - EARLY
        head = {"alg": "EdDSA", "kid": self._options.key_id}
        claims = {"sub": self._options.project_id, "iat": issued, "exp": issued + HOLDS}
        signed = b".".join(_base64(msgspec.json.encode(part)) for part in (head, claims))
        return b".".join((signed, _base64(self._key.sign(signed)))).decode()

    def entries(self, document: bytes) -> Sequence[bytes]:
        """The warnings in force."""
        return [bytes(entry) for entry in msgspec.json.decode(document, type=_Answer).alerts]

    def bulletin(self, entry: bytes) -> Bulletin:
        """One warning; its area is the place that was asked about."""
        one = msgspec.json.decode(entry, type=_Entry)
        if one.message_type.code not in _DEEDS:
            raise ValueError(f"messageType.code：{one.message_type.code[:20]}")
        return Bulletin(
            service="qweather",
            identifier=one.id,
            sent=_utc(one.issued_time),
            title=one.headline,
            text=one.description,
            sender=one.sender_name or "",
            region=self._options.region,
            event=one.event_type.code,
            colour=_COLOURS.get(one.color.code.lower()) if one.color else None,
            onset=_moment(one.onset_time or one.effective_time),
            expires=_moment(one.expire_time or one.expired_time),
            deed=_DEEDS[one.message_type.code],
            supersedes=one.message_type.supersedes or (),
        )


def _key(settings: SourceSettings, options: QWeatherOptions) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(options.private_key.encode(), None)
    except (ValueError, TypeError) as problem:
        raise SettingsError(
            f"{named(settings)}：private_key 不是没有口令的 PEM 私钥。",
            remedy='请写作 private_key = { file = "…" }。',
        ) from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{named(settings)}：private_key 不是 Ed25519 密钥。", remedy="请按服务商的说明重新生成。")
    return key


def _base64(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _utc(text: str) -> datetime:
    """A time as the service writes it: to the minute, with a zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text[:30]!r}: no time zone")
    return time.astimezone(UTC)


def _moment(text: str | None) -> datetime | None:
    return _utc(text) if text else None


class QWeatherPlugin:
    """What the entry point leads to."""

    kind = "qweather"

    def build(self, settings: SourceSettings) -> DocumentSource:
        """A source; `SettingsError` for options that are missing or wrong."""
        options = QWeatherOptions.read(settings)
        return DocumentSource(settings, options, QWeatherDialect(settings, options))


plugin = QWeatherPlugin()
