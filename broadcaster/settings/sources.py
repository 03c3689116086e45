"""Reading `[[sources]]`: the keys that every source has, by rule; the kind's own keys, as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.colour import Colour
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.settings.checking import Checker
from broadcaster.settings.reading import Key
from broadcaster.settings.rules import Rule, address, choice, number, paths, setting, several, text, truth
from broadcaster.sources import DeedRule, SignaturePolicy, SourceSettings

_REGION = re.compile(r"\d{6}(\d{3}){0,3}")


def _where() -> Rule:
    """An address that is polled, or the path of a folder."""

    def read(value: object) -> object:
        if not isinstance(value, str) or "\0" in value or value.strip() != value:
            raise ValueError(value)
        parts = urlsplit(value)
        if parts.scheme in ("http", "https"):
            if not parts.hostname or parts.port == 0 or parts.username is not None:
                raise ValueError(value)
            return value
        if "://" in value:
            raise ValueError(value)
        return Path(value).expanduser() if value else ""

    allowed = "http:// 或 https:// 开头的网址（不含口令）、一个目录的路径，或空（只接收对方推送）"
    return Rule(allowed, read, secret=True)  # services put their keys into addresses


def _codes() -> Rule:
    def read(value: object) -> object:
        if not isinstance(value, Mapping):
            raise ValueError(value)
        for name, region in value.items():
            if not isinstance(name, str) or not isinstance(region, str) or not _REGION.fullmatch(region):
                raise ValueError(value)
        return dict(value)

    return Rule('对照表，如 { "EMMA_ID CN001" = "330212" }，右边为 6、9、12 或 15 位区划代码', read)


def _web() -> Rule:
    return address("http", "https", words=("",), allowed="http:// 或 https:// 开头的网址，或空")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The keys that every source has."""

    name: str = setting(text("小写字母、数字、- 和 _，以字母开头，至多 40 个字符", pattern=r"[a-z][a-z0-9_\-]{0,39}"))
    kind: str = setting(text("来源的种类，如 cap、cn12379", pattern=r"[a-z][a-z0-9_]*"))
    address: str | Path = setting(_where(), "")
    interval: float = setting(number(5, 86_400, "秒"), 60.0)
    trust: str = setting(choice(Deed.NOTIFY, Deed.DRAFT), Deed.NOTIFY.value)
    signature: str = setting(choice(*SignaturePolicy), SignaturePolicy.IGNORE.value)
    certificates: tuple[Path, ...] = setting(paths(), ())
    private: bool = setting(truth(), False)
    codes: Mapping[str, str] = field(default_factory=dict, metadata={"rule": _codes()})
    answer_to: str = setting(_web(), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """One `[[sources.deeds]]`."""

    do: str = setting(choice(*Deed))
    hazards: tuple[str, ...] = setting(several(tuple(HAZARDS)), ())
    colours: tuple[str, ...] = setting(several([colour.value for colour in Colour]), ())
    hold: float | None = setting(number(30, 86_400, "秒"), None)


_COMMON = tuple(one.name for one in fields(_Source))
KEYS = (*_COMMON, "deeds")


def _deeds(checker: Checker, key: Key) -> tuple[DeedRule, ...]:
    """What messages may become; what goes out by itself names its hazards and its colours."""

    def read(one: Key, raw: object) -> DeedRule | None:
        given = checker.section(_Deed, one) if isinstance(raw, dict) else {}
        if isinstance(raw, dict):
            checker.known(one, (name.name for name in fields(_Deed)), {})
        if "do" not in given:
            return None
        rule = DeedRule(
            do=Deed(given["do"]),
            hazards=frozenset(given.get("hazards", ())),
            colours=frozenset(map(Colour, given.get("colours", ()))),
            hold=given.get("hold"),
        )
        if rule.do.goes_out and not (rule.hazards and rule.colours):
            checker.refuse((*one, "do"), f"{rule.do} 时要写明 hazards 和 colours：自动发出的只能是列明的灾种和颜色")
        if rule.hold is not None and rule.do is not Deed.HOLD:
            checker.refuse((*one, "hold"), "只用于 do = 'hold'")
        return rule

    return tuple(rule for rule in checker.rows(key, read) or () if rule is not None)


def read_sources(checker: Checker, taken: frozenset[str]) -> tuple[SourceSettings, ...]:
    """Every `[[sources]]`; what is wrong becomes a problem of `checker`. `taken` are the names of the gateways: both
    are called at `/callbacks/<name>`."""
    names: set[str] = set(taken)

    def read(key: Key, raw: object) -> SourceSettings | None:
        common = checker.section(_Source, key) if isinstance(raw, dict) else {}
        options = {
            name: checker.free((*key, name), value) for name, value in checker.table(key).items() if name not in KEYS
        }
        if common.get("name") in names:
            checker.refuse((*key, "name"), f"与另一个来源或网关重名：{common['name']}")
        names.add(common.get("name", ""))
        try:
            source = _Source(**common)
        except TypeError:  # something required was missing or wrong; it has been reported
            return None
        if source.signature != SignaturePolicy.IGNORE and not source.certificates:
            checker.refuse((*key, "certificates"), f"signature = {source.signature!r} 时要写明信任哪些证书（PEM 文件）")
        values = {name: getattr(source, name) for name in _COMMON}
        values |= {
            "address": str(source.address),
            "trust": Deed(source.trust),
            "deeds": _deeds(checker, (*key, "deeds")),
            "signature": SignaturePolicy(source.signature),
        }
        return SourceSettings(**values, options=options)

    found = checker.rows(("sources",), read) or ()
    return tuple(source for source in found if source is not None)
