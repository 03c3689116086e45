"""Which adapters there are: entry points of the group `broadcaster.adapters`, ours and third parties' alike.

An entry is named by its kind and leads to a `SourcePlugin` (who tells us of dangers) or a `SensorPlugin` (who
measures). Nothing is imported before it is asked for, so that a broken plugin hurts only whoever wants to use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points

from broadcaster.errors import SettingsError
from broadcaster.ports import Journal
from broadcaster.sensing import Sensor, SensorPlugin, SensorSettings
from broadcaster.sources import Source, SourcePlugin, SourceSettings

GROUP = "broadcaster.adapters"

Installed = dict[str, list[EntryPoint]]


def installed() -> Installed:
    """What the installed distributions offer, by kind."""
    found: Installed = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return found


def sources(settings: Iterable[SourceSettings]) -> dict[str, Source]:
    """Every configured source by its name; connects to nothing. `SettingsError` for the first that cannot be."""
    kinds = installed()
    return {one.name: _source(one, kinds).build(one) for one in settings}


def sensors(settings: Iterable[SensorSettings], journal: Callable[[str], Journal]) -> dict[str, Sensor]:
    """Every configured adapter of instruments by its name, `journal` giving the conversation log of a name; else as
    `sources`."""
    kinds = installed()
    return {one.name: _sensor(one, kinds).sensor(one, journal(one.name)) for one in settings}


def _source(settings: SourceSettings, kinds: Installed) -> SourcePlugin:
    said = f"来源 {settings.name!r}"
    plugin = _loaded(said, settings.kind, kinds)
    if not isinstance(plugin, SourcePlugin) or plugin.kind != settings.kind:
        raise SettingsError(f"{said}：{settings.kind} 不是来源的种类。", remedy="请检查种类，或修复提供它的软件包。")
    return plugin


def _sensor(settings: SensorSettings, kinds: Installed) -> SensorPlugin:
    said = f"接入 {settings.name!r}"
    plugin = _loaded(said, settings.kind, kinds)
    if not isinstance(plugin, SensorPlugin) or plugin.kind != settings.kind:
        raise SettingsError(f"{said}：{settings.kind} 不是接入的种类。", remedy="请检查种类，或修复提供它的软件包。")
    return plugin


def _loaded(said: str, kind: str, kinds: Installed) -> object:
    entries = kinds.get(kind, [])
    if len(entries) != 1:
        there = "、".join(sorted(kinds)) or "无"
        what = "不止一个" if entries else "没有"
        raise SettingsError(f"{said}：{what}名为 {kind} 的种类。", remedy=f"已安装的有：{there}。")
    try:
        return entries[0].load()
    except Exception as problem:  # a third party's module may fail in any way; whoever asked for it must know
        raise SettingsError(
            f"{said}：种类 {kind}（{entries[0].value}）不能载入：{type(problem).__name__}: {problem}。",
            remedy="请修复或卸载提供它的软件包，或改用别的种类。",
        ) from problem
