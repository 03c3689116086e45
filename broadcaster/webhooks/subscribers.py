"""Those who subscribe: kept by administrators of the whole district, each with a secret of ours that is shown once, or
with a password of theirs that is sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from broadcaster.alerts.authoring import hold_issues
from broadcaster.database import Connection, Database
from broadcaster.errors import ConflictError, InputError, NotFoundError
from broadcaster.outlets import PLAIN, Manner, OutletKind, is_topic
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.security.sealing import Sealing
from broadcaster.trust import trusting
from broadcaster.webhooks.sql import SQL

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
URL_MOST = 500
DEAD_SHOWN = 100


PASSWORD_MOST, AUTHORITY_MOST = 500, 20_000
SCHEMES = {
    OutletKind.WEBHOOK: ("http", "https"),
    OutletKind.CAP: ("http", "https"),
    OutletKind.MQTT: ("mqtt", "mqtts"),
}
_ADDRESS = {
    OutletKind.WEBHOOK: "应为 http:// 或 https:// 开头的网址，不含用户名和口令。",
    OutletKind.CAP: "应为 http:// 或 https:// 开头的网址，不含用户名和口令。",
    OutletKind.MQTT: "应为 mqtt:// 或 mqtts:// 开头的代理地址，不含路径、用户名和口令。",
}
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_OURS = frozenset({"content-type", "content-length", "host", "user-agent", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new subscriber as somebody wants it: `password` is what it gave us, "" for none."""

    name: str
    url: str
    rehearsal: bool = False
    private: bool = False
    kind: OutletKind = OutletKind.WEBHOOK
    manner: Manner = PLAIN
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One of them, with how it fares: messages that wait, were delivered, were given up. `trouble` is why the last
    attempt failed, "" if it did not, None where there was none."""

    id: int
    name: str
    url: str
    kind: OutletKind
    manner: Manner
    rehearsal: bool
    private: bool
    active: bool
    secret_version: int
    created_by: str
    created_at: datetime
    pending: int
    delivered: int
    dead: int
    last_at: datetime | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that was given up."""

    id: int
    name: str
    alert_id: int
    headline: str | None
    attempts: int
    settled_at: datetime
    reason: str | None


class Secrets:
    """Secrets by subscriber and version, derived from the installation's key: the database never holds one. Passwords
    that others gave us it holds sealed."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sealing = Sealing(key)

    def sealed(self, name: str, password: str) -> bytes | None:
        """A password of theirs as the database keeps it; None for none."""
        return self._sealing.seal(password, f"subscriber:{name}") if password else None

    def password(self, name: str, sealed: bytes) -> str:
        """It again; `UnavailableError` where it was sealed with another key."""
        return self._sealing.open(sealed, f"subscriber:{name}")

    def of(self, subscriber: int, version: int) -> bytes:
        """32 octets."""
        return hmac.new(self._key, f"webhook:{subscriber}:{version}".encode(), hashlib.sha256).digest()

    def shown(self, subscriber: int, version: int) -> str:
        """The secret as the other side is given it (Standard Webhooks' form)."""
        return "whsec_" + base64.b64encode(self.of(subscriber, version)).decode()


async def subscribers(connection: Connection) -> list[Subscriber]:
    """All of them, by name."""
    found = []
    for row in await connection.fetch(SQL["subscribers"]):
        manner = msgspec.json.decode(row["manner"], type=Manner)
        found.append(Subscriber(**{**row, "kind": OutletKind(row["kind"]), "manner": manner}))
    return found


async def dead(connection: Connection) -> list[Dead]:
    """The latest messages that were given up."""
    return [Dead(**row) for row in await connection.fetch(SQL["dead"], DEAD_SHOWN)]


def faults(wanted: Wanted) -> dict[str, str]:
    """What is wrong with a new subscriber, by field."""
    found = {}
    if not NAME.fullmatch(wanted.name):
        found["name"] = "应为小写字母、数字、- 和 _，以字母开头，至多 40 个字符。"
    if not _is_address(wanted.url, wanted.kind):
        found["url"] = _ADDRESS[wanted.kind]
    if len(wanted.password) > PASSWORD_MOST or not wanted.password.isprintable():
        found |= {"password": "口令太长，或含有不能显示的字符。"}
    found |= dict(_manner_faults(wanted))
    return found


def _is_address(url: str, kind: OutletKind) -> bool:
    try:
        parts = urlsplit(url)
        good = parts.scheme in SCHEMES[kind] and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return False
    if kind is OutletKind.MQTT:
        good = good and not (parts.path.strip("/") or parts.query or parts.fragment)
    return good and len(url) <= URL_MOST and url.isprintable() and " " not in url


def _manner_faults(wanted: Wanted) -> Iterator[tuple[str, str]]:
    manner = wanted.manner
    if wanted.kind is OutletKind.MQTT and not (is_topic(manner.topic) and len(manner.topic) <= URL_MOST):
        yield "topic", "应为不含 +、# 的主题，可用 {district} {kind} {hazard} {colour} {msg_type} {status}。"
    if bool(manner.auth) != bool(wanted.password):
        yield "password", "选了认证方式就要填口令，不认证就不填。"
    if wanted.kind is OutletKind.WEBHOOK and manner.auth:
        yield "auth", "webhook 用签名证明身份，不需要口令。"
    if wanted.kind is OutletKind.MQTT and manner.auth not in ("", "basic"):
        yield "auth", "MQTT 只能用用户名和口令。"
    if manner.auth == "basic" and (not manner.login or ":" in manner.login or not manner.login.isprintable()):
        yield "login", "请填用户名，不含冒号。"
    if manner.auth == "header" and (not _HEADER.fullmatch(manner.login) or manner.login.lower() in _OURS):
        yield "login", "请填请求头的名称，如 X-Api-Key。"
    if manner.authority and not _is_authority(manner.authority):
        yield "authority", "应为 PEM 格式的证书。"


def _is_authority(text: str) -> bool:
    if len(text) > AUTHORITY_MOST:
        return False
    try:
        trusting(text)
    except (ssl.SSLError, ValueError):
        return False
    return True


async def add(database: Database, actor: Actor, district: str, wanted: Wanted, secrets: Secrets, now: datetime) -> int:
    """A new subscriber, told of what is issued from now on; its number. `ConflictError` for a name that is taken."""
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    if faults(wanted):
        raise InputError("订阅者填写有误。", remedy="请按提示改正。")
    values = (wanted.name, wanted.url, wanted.rehearsal, wanted.private, actor.name, now, wanted.kind.value)
    manner, sealed = msgspec.json.encode(wanted.manner).decode(), secrets.sealed(wanted.name, wanted.password)
    async with database.transaction() as connection:
        number: int | None = await connection.fetchval(SQL["add"], *values, manner, sealed)
        if number is None:
            raise ConflictError("订阅者 %(name)s 已存在。", remedy="请换一个名称。", name=wanted.name)
        detail = {"rehearsal": wanted.rehearsal, "private": wanted.private, "kind": wanted.kind.value}
        subject = f"subscriber:{wanted.name}"
        await audit.append(connection, actor.account_id, "subscriber.add", now, subject=subject, detail=detail)
    return number


async def set_password(
    database: Database, actor: Actor, district: str, number: int, password: str, secrets: Secrets, now: datetime
) -> None:
    """Another password that it gave us, from the next attempt on."""
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    if not password or len(password) > PASSWORD_MOST or not password.isprintable():
        raise InputError("口令是空的、太长，或含有不能显示的字符。", remedy="请重新填写。")
    async with database.transaction() as connection:
        name = await connection.fetchval(SQL["hold"], number)
        if name is None:
            raise _nobody()
        await connection.execute(SQL["set_password"], number, secrets.sealed(name, password))
        await audit.append(connection, actor.account_id, "subscriber.password", now, subject=f"subscriber:{name}")


async def renew(database: Database, actor: Actor, district: str, number: int, now: datetime) -> int:
    """Give it a new secret; the old one is void at once. The version of the new one."""
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    async with database.transaction() as connection:
        row = await connection.fetchrow(SQL["renew"], number)
        if row is None:
            raise _nobody()
        subject = f"subscriber:{row['name']}"
        await audit.append(connection, actor.account_id, "subscriber.secret", now, subject=subject)
    return int(row["secret_version"])


async def switch(database: Database, actor: Actor, district: str, number: int, now: datetime, *, active: bool) -> None:
    """Tell it no more, or again: of what waited, and of what was issued meanwhile and is in force."""
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    async with database.transaction() as connection:
        await hold_issues(connection)
        name = await connection.fetchval(SQL["switch"], number, active)
        if name is None:
            raise _nobody()
        if active:
            await connection.execute(SQL["catch_up"], number, now)
        detail = {"active": active}
        await audit.append(
            connection, actor.account_id, "subscriber.switch", now, subject=f"subscriber:{name}", detail=detail
        )


async def overtaken(connection: Connection, number: int) -> bool:
    """Whether a later alert of the same lineage was brought to the message's subscriber, or is just being brought."""
    found: bool = await connection.fetchval(SQL["overtaken"], number)
    return found


async def resend(database: Database, actor: Actor, district: str, number: int, now: datetime) -> None:
    """Try a message again that was given up, after those that wait before it. `ConflictError` where the other side has
    what came after it: the older one would stand as the latest there."""
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    async with database.transaction() as connection:
        if await overtaken(connection, number):
            raise ConflictError("对方已收到这条预警后来的更新或解除，旧的不再重发。", remedy="需要时请发布更新。")
        if await connection.fetchval(SQL["resend"], number, now) is None:
            raise NotFoundError("没有这条未送达的推送。", remedy="请刷新页面。")
        await audit.append(connection, actor.account_id, "subscriber.resend", now, subject=f"webhook {number}")


def _nobody() -> NotFoundError:
    return NotFoundError("没有这个订阅者。", remedy="请刷新页面。")
