"""Which drivers there are: entry points of the group `broadcaster.channels`, ours and third parties' alike.

An entry is named `<channel>.<driver>`, e.g. `sms.cmpp`, and leads to a `DriverPlugin`. Nothing is imported before it is
asked for, so that a broken plugin hurts only whoever wants to use it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias

from broadcaster.errors import SettingsError
from broadcaster.ports import Capabilities, DriverPlugin, GatewaySettings, Medium, OnPlatform

GROUP = "broadcaster.channels"

DriverName: TypeAlias = tuple[Medium, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """An installed entry that cannot be used: its name, who brought it, what is wrong."""

    entry: str
    distribution: str
    what: str


class _Silent:
    """A journal for drivers that are built only to see whether they can be."""

    def note(self, direction: str, text: str) -> None:
        """Keep nothing."""


class Registry:
    """The drivers of an installation."""

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._entries: defaultdict[DriverName, list[EntryPoint]] = defaultdict(list)
        self._misnamed: list[Problem] = []
        self._plugins: dict[DriverName, DriverPlugin] = {}
        for entry in entries:
            channel, _, driver = entry.name.partition(".")
            if channel in list(Medium) and driver:
                self._entries[Medium(channel), driver].append(entry)
            else:
                what = f"名称应写作 <渠道>.<驱动>，渠道为 {'、'.join(Medium)} 之一"
                self._misnamed.append(Problem(entry.name, _origin(entry), what))

    @classmethod
    def installed(cls) -> Registry:
        """What the installed distributions offer."""
        return cls(entry_points(group=GROUP))

    def drivers(self) -> tuple[DriverName, ...]:
        """Every driver by channel and name, whether it works or not."""
        return tuple(sorted(self._entries))

    def plugin(self, channel: Medium, name: str) -> DriverPlugin:
        """The driver `name` of `channel`; `SettingsError` when there is none, two, or a broken one."""
        known = self._plugins.get((channel, name))
        if known is not None:
            return known
        entries = self._entries.get((channel, name), [])
        if not entries:
            names = "、".join(driver for medium, driver in self.drivers() if medium is channel) or "无"
            raise SettingsError(
                f"渠道 {channel.value} 没有名为 {name} 的驱动。",
                remedy=f"已安装的有：{names}。请改正网关的 driver，或安装提供它的软件包。",
            )
        if len(entries) > 1:
            origins = "、".join(sorted(_origin(entry) for entry in entries))
            raise SettingsError(
                f"驱动 {channel.value}.{name} 有不止一个，来自 {origins}。",
                remedy="请只留一个，卸载其余的。",
            )
        plugin = self._plugins[channel, name] = _load(entries[0], channel, name)
        return plugin

    def check(self, gateways: Iterable[GatewaySettings]) -> None:
        """Build each gateway's driver once; `SettingsError` for the first that cannot be."""
        for gateway in gateways:
            try:
                plugin = self.plugin(gateway.channel, gateway.driver)
            except SettingsError as problem:
                raise SettingsError(f"网关 {gateway.name}：{problem.what}", remedy=problem.remedy) from problem
            plugin.build(gateway, _Silent())

    def placed(self, gateways: Iterable[GatewaySettings]) -> tuple[GatewaySettings, ...]:
        """The gateways, each for the platforms that its driver speaks to; `SettingsError` as in `check`."""
        return tuple(
            replace(gateway, networks=plugin.networks)
            if isinstance(plugin := self.plugin(gateway.channel, gateway.driver), OnPlatform)
            else gateway
            for gateway in gateways
        )

    def capabilities(self, gateway: GatewaySettings) -> Capabilities:
        """What a gateway's driver can do; `SettingsError` as in `check`."""
        return self.plugin(gateway.channel, gateway.driver).build(gateway, _Silent()).capabilities

    def problems(self) -> tuple[Problem, ...]:
        """Every installed entry that cannot be used; loads them all."""
        found = list(self._misnamed)
        for (channel, name), entries in sorted(self._entries.items()):
            try:
                self.plugin(channel, name)
            except SettingsError as problem:
                origins = "、".join(sorted(_origin(entry) for entry in entries))
                found.append(Problem(f"{channel.value}.{name}", origins, problem.what))
        return tuple(found)


def _load(entry: EntryPoint, channel: Medium, name: str) -> DriverPlugin:
    said = f"{_origin(entry)} 的驱动 {entry.name}（{entry.value}）"
    remedy = "请修复或卸载该软件包，或改用别的驱动。"
    try:
        plugin = entry.load()
    except Exception as problem:  # a third party's module may fail in any way; whoever asked for it must know
        raise SettingsError(f"{said}不能载入：{type(problem).__name__}: {problem}。", remedy=remedy) from problem
    if not callable(getattr(plugin, "build", None)):
        raise SettingsError(f"{said}不是驱动：没有 build(gateway, journal)。", remedy=remedy)
    given = getattr(plugin, "channel", None), getattr(plugin, "name", None)
    if given != (channel, name):
        raise SettingsError(f"{said}自称 {given[0]}.{given[1]}。", remedy=remedy)
    checked: DriverPlugin = plugin
    return checked


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "来源不明的软件包"
