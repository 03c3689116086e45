"""Caiyun's warnings as a source; `kind = "caiyun"`. Asked for (v2.6 `realtime?alert=true`, v3 `alert/location`), or
pushed by v3's webhook to `/callbacks/<name of the source>`."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from adapters.bulletins import Bulletin, BulletinDialect, BulletinOptions
from adapters.fetching import DocumentSource
from adapters.fetching.source import utc_now
from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.sources import SourceSettings

FRESH = 600.0
"""Seconds by which the service's clock and ours may differ for a push to be believed."""


class CaiyunOptions(BulletinOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`push_token`: the token by which pushes are signed; "" takes none."""

    push_token: Annotated[str, msgspec.Meta(pattern=r"^(.{8,})?$", description="至少 8 个字符的文本")] = ""


class _Old(msgspec.Struct, frozen=True, rename={"alert_id": "alertId"}):
    """An entry of v2.6."""

    alert_id: str
    pubtimestamp: float
    title: str
    description: str = ""
    adcode: str = ""
    location: str = ""


class _Text(msgspec.Struct, frozen=True):
    title: str
    text: str = ""
    language_code: str = "zh-CN"


class _New(msgspec.Struct, frozen=True):
    """An entry of v3."""

    id: str
    publish_time: float
    data: list[_Text]
    area_code: str = ""
    region_code: str = "CN"
    expire_time: float | None = None


class _OldAlert(msgspec.Struct, frozen=True):
    content: list[msgspec.Raw] = []


class _OldResult(msgspec.Struct, frozen=True):
    alert: _OldAlert = _OldAlert()


class _Answer(msgspec.Struct, frozen=True):
    """Either version: `alerts` of v3, `result` of v2.6."""

    alerts: list[msgspec.Raw] | None = None
    result: _OldResult | None = None


class _Push(msgspec.Struct, frozen=True):
    sign: str
    nonce: str
    server_time: int
    alert: msgspec.Raw


class CaiyunDialect(BulletinDialect):
    """One place's warnings."""

    def __init__(self, settings: SourceSettings, options: CaiyunOptions) -> None:
        super().__init__(settings)
        self._region = options.region

    def entries(self, document: bytes) -> Sequence[bytes]:
        """The warnings in force."""
        answer = msgspec.json.decode(document, type=_Answer)
        if answer.alerts is None and answer.result is None:
            raise ValueError("既没有 alerts，也没有 result")
        found = answer.alerts if answer.alerts is not None else answer.result.alert.content if answer.result else []
        return [bytes(entry) for entry in found]

    def bulletin(self, entry: bytes) -> Bulletin:
        """One warning of either version."""
        given: dict[str, Any] = msgspec.json.decode(entry, type=dict[str, Any])
        return self._new(entry) if "data" in given else self._old(entry)

    def _old(self, entry: bytes) -> Bulletin:
        one = msgspec.json.decode(entry, type=_Old)
        return Bulletin(
            service="caiyun",
            identifier=one.alert_id,
            sent=datetime.fromtimestamp(one.pubtimestamp, UTC),
            title=one.title,
            text=one.description,
            region=_code(one.adcode) or self._region,
            place=one.location,
        )

    def _new(self, entry: bytes) -> Bulletin:
        one = msgspec.json.decode(entry, type=_New)
        chinese = [text for text in one.data if text.language_code.startswith("zh")]
        said = (chinese or one.data or [_Text("")])[0]
        return Bulletin(
            service="caiyun",
            identifier=one.id,
            sent=datetime.fromtimestamp(one.publish_time, UTC),
            title=said.title,
            text=said.text,
            region=(_code(one.area_code) or self._region) if one.region_code == "CN" else "",
            place=one.region_code if one.region_code != "CN" else "",
            expires=None if one.expire_time is None else datetime.fromtimestamp(one.expire_time, UTC),
        )


def _code(text: str) -> str:
    return text if len(text) == 6 and text.isascii() and text.isdigit() else ""


class CaiyunSource(DocumentSource):
    """A source that may be pushed to as well."""

    def __init__(self, settings: SourceSettings, options: CaiyunOptions, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(settings, options, CaiyunDialect(settings, options), now)
        self._token = options.push_token
        self._clock = now

    def receive(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> list[bytes]:  # noqa: ARG002
        """The warning of a push; `UnauthenticatedError` unless it is signed with our token, and new."""
        try:
            push = msgspec.json.decode(body, type=_Push)
            named = msgspec.json.decode(push.alert, type=_New)
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            raise InputError("推送内容不是所约定的 JSON。", remedy="请核对服务商的推送版本（v3）。") from problem
        stamp = f"{named.publish_time:.0f}"
        words = "-".join((self._token, named.id, stamp, push.nonce, str(push.server_time)))
        expected = hashlib.md5(words.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        if not self._token or not hmac.compare_digest(push.sign.lower().encode("utf-8", "replace"), expected.encode()):
            raise UnauthenticatedError("推送的签名不对。", remedy="请核对来源的 push_token。")
        if abs(self._clock().timestamp() - push.server_time) > FRESH:
            raise UnauthenticatedError("推送的时间相差太多。", remedy="请核对本机时钟；旧的推送不再接收。")
        return [bytes(push.alert)]


class CaiyunPlugin:
    """What the entry point leads to."""

    kind = "caiyun"

    def build(self, settings: SourceSettings) -> CaiyunSource:
        """A source; `SettingsError` for options that do not exist or are wrong."""
        return CaiyunSource(settings, CaiyunOptions.read(settings))


plugin = CaiyunPlugin()
