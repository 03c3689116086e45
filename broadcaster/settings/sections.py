"""The settings themselves, section by section, with their rules and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broadcaster.alerts.colour import Colour
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.policy import Policy
from broadcaster.errors import NotFoundError
from broadcaster.ports import DIALECTS, EngineSettings, GatewaySettings
from broadcaster.sensing import SensorSettings
from broadcaster.settings.policies import COLOURS
from broadcaster.settings.rules import address, addresses, choice, integer, number, path, setting, several, text, truth
from broadcaster.sources import SourceSettings

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSettings:
    """`dir`: where the embedded servers, recordings and keys lie."""

    dir: Path = setting(path(), Path("data"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictSettings:
    """The county or district: its six-digit code (GB/T 2260) and its name as it appears in messages; in whose name
    these go out (empty: its emergency office); the number to call for help (empty: none is told). `english_…` stand in
    English texts, where they are given."""

    code: str = setting(text("六位县级行政区划代码，如 330212", pattern=r"[1-9]\d{5}"))
    name: str = setting(text("县（市、区）名称"))
    english_name: str = setting(text(pattern=".*"), "")
    issuer: str = setting(text("发布单位名称，如 鄞州区防汛防台抗旱指挥部", pattern=".*"), "")
    english_issuer: str = setting(text(pattern=".*"), "")
    hotline: str = setting(text("求助电话，如 119 或 0574-87654321", pattern=r"(\d{3,12}|\d{3,4}-\d{7,8})?"), "119")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """`pool`: the most connections of one process."""

    url: str = setting(
        address(
            "postgres",
            "postgresql",
            words=(EMBEDDED,),
            allowed=f"{EMBEDDED}，或 postgres://用户:口令@主机/库名",
            secret=True,
        ),
        EMBEDDED,
    )
    pool: int = setting(integer(2, 200), 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    url: str = setting(
        address(
            "redis",
            "rediss",
            "unix",
            words=(EMBEDDED,),
            allowed=f"{EMBEDDED}，或 redis://主机:6379/0、rediss://…、unix:///套接字路径",
            secret=True,
        ),
        EMBEDDED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """`public_url` is what stands in messages before `/r/…`, as residents' phones reach it; no trailing slash.

    `trusted_proxies` are the addresses whose X-Forwarded-For is believed: whoever guesses passwords through them is
    told apart by it.
    """

    host: str = setting(text("要监听的地址，如 127.0.0.1 或 0.0.0.0", pattern=r"[\w.:\-]+"), "127.0.0.1")
    port: int = setting(integer(1, 65535), 8480)
    public_url: str = setting(
        address("http", "https", allowed="http:// 或 https:// 开头的网址"), "http://127.0.0.1:8480"
    )
    trusted_proxies: tuple[str, ...] = setting(addresses(), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """`lease` and `sweep` in seconds; results are flushed every `flush_rows` rows or `flush_milliseconds`."""

    lease: float = setting(number(5, 600, "秒"), 15.0)
    sweep: float = setting(number(0.2, 60, "秒"), 1.0)
    flush_rows: int = setting(integer(1, 20_000), 1000)
    flush_milliseconds: int = setting(integer(10, 5000), 200)
    jobs: int = setting(integer(1, 64), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSettings:
    """`dir`: the county's own templates, laid over the built-in ones. `sms_price`: yuan for one part of a text message,
    for the estimate before an alert is issued; 0 where nobody has said."""

    dir: Path | None = setting(path(), None)
    sms_price: float = setting(number(0, 10, "元/条"), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """`lexicon`: the county's own table of words that voices misread. `dialects`: in which Chinese languages besides
    Mandarin loudspeakers say the Chinese text as well. `engines` are asked in their order, the first that works
    speaks."""

    lexicon: Path | None = setting(path(), None)
    dialects: tuple[str, ...] = setting(several(DIALECTS), ())
    engines: tuple[EngineSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSettings:
    """`required`: colours that a second person approves. `own`: may that be the author. `emergency`: may a duty officer
    issue without approval, with a reason that goes into the audit."""

    required: tuple[str, ...] = setting(several(COLOURS), ("red", "orange"))
    own: bool = setting(truth(), False)
    emergency: bool = setting(truth(), True)

    @property
    def rules(self) -> ApprovalRules:
        """The same as an alert's life knows it."""
        exempt = frozenset(colour for colour in Colour if colour.value not in self.required)
        return ApprovalRules(self_approval=self.own, issue_first=self.emergency, exempt=exempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySettings:
    """`secret_key` signs reply links, and second factors are derived from it. `second_factor`: who must have one;
    offices are approvers and administrators. `session_idle` in minutes, `session_life` in hours."""

    secret_key: str | None = setting(text("至少 32 个字符", pattern=r".{32,}", secret=True), None)
    second_factor: str = setting(choice("none", "offices", "everyone"), "none")
    session_idle: int = setting(integer(5, 1440), 120)
    session_life: int = setting(integer(1, 168), 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """`after`: days that an alert must be over before it may be archived, three at least (as long as a stray receipt is
    waited for). `dir`: where it goes, None: `archive` in the data folder."""

    after: int = setting(integer(3, 3650), 30)
    dir: Path | None = setting(path(), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """PEM files of the key, without a password, and the certificate by which CAP messages that go out are signed; both
    or none."""

    signing_key: Path | None = setting(path(), None)
    signing_certificate: Path | None = setting(path(), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """`keep`: days that readings are kept. A station is silent after `silence` of its periods without a word."""

    keep: int = setting(integer(2, 3650), 400)
    silence: float = setting(number(1, 1000), 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """`issue`: hazards whose alerts rules may send out at once; all others are held for a veto at the least."""

    issue: tuple[str, ...] = setting(several(tuple(HAZARDS)), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """What the report of an alert is measured against: seconds from issue until a gateway has the first message, until
    50, 90 and 99 of 100 households are reached, and until every responsible unit has confirmed."""

    first_submit: float = setting(number(0.1, 3600, "秒"), 5.0)
    reached_half: float = setting(number(1, 86_400, "秒"), 300.0)
    reached_most: float = setting(number(1, 86_400, "秒"), 900.0)
    reached_all_but: float = setting(number(1, 86_400, "秒"), 3600.0)
    confirmed: float = setting(number(1, 86_400, "秒"), 1800.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """`form`: json for machines, text for people; auto takes text on a terminal."""

    level: str = setting(choice("debug", "info", "warning", "error"), "info")
    form: str = setting(choice("auto", "json", "text"), "auto")


SECTIONS: dict[str, type[Any]] = {
    "data": DataSettings,
    "district": DistrictSettings,
    "database": DatabaseSettings,
    "redis": RedisSettings,
    "web": WebSettings,
    "worker": WorkerSettings,
    "messages": MessageSettings,
    "speech": SpeechSettings,
    "approval": ApprovalSettings,
    "security": SecuritySettings,
    "archive": ArchiveSettings,
    "feeds": FeedSettings,
    "readings": ReadingSettings,
    "rules": RuleSettings,
    "targets": TargetSettings,
    "log": LogSettings,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything, checked. `source` is the file it came from; paths are absolute."""

    source: Path | None
    data: DataSettings
    district: DistrictSettings
    database: DatabaseSettings
    redis: RedisSettings
    web: WebSettings
    worker: WorkerSettings
    messages: MessageSettings
    speech: SpeechSettings
    approval: ApprovalSettings
    security: SecuritySettings
    archive: ArchiveSettings
    feeds: FeedSettings
    readings: ReadingSettings
    rules: RuleSettings
    targets: TargetSettings
    log: LogSettings
    policies: Mapping[str, Policy]
    gateways: tuple[GatewaySettings, ...]
    sources: tuple[SourceSettings, ...] = ()
    sensors: tuple[SensorSettings, ...] = ()

    @property
    def archive_dir(self) -> Path:
        """Where archived alerts lie."""
        return self.archive.dir or self.data.dir / "archive"

    def policy(self, colour: str) -> Policy:
        """The policy of a colour: red, orange, yellow or blue."""
        return self.policies[colour]

    def gateway(self, name: str) -> GatewaySettings:
        """The gateway of that name; `NotFoundError` if there is none."""
        for gateway in self.gateways:
            if gateway.name == name:
                return gateway
        raise NotFoundError("没有名为 %(name)s 的网关。", remedy="请查看设置中的 [[gateways]]。", name=name)

    def source_named(self, name: str) -> SourceSettings:
        """The source of that name; `NotFoundError` if there is none."""
        for source in self.sources:
            if source.name == name:
                return source
        raise NotFoundError("没有名为 %(name)s 的来源。", remedy="请查看设置中的 [[sources]]。", name=name)
