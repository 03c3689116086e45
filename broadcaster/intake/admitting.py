"""Which sources the house lets in at its start: none through which a stranger, or a drill, could send a warning out."""

from __future__ import annotations

from collections.abc import Mapping

from broadcaster.errors import SettingsError
from broadcaster.ports import TakesOrders
from broadcaster.registry import Registry
from broadcaster.settings import Settings
from broadcaster.sources import Behind, SignaturePolicy, Source


def require_trustworthy(settings: Settings, registry: Registry, sources: Mapping[str, Source]) -> None:
    """`SettingsError` for a source of orders whose gateway there is not, or that is one for drills: what comes in at
    its door would be taken for real; and for one whose messages may go out by themselves without anybody's signature
    being looked at."""
    for one in settings.sources:
        source = sources[one.name]
        signed = bool(one.certificates) and one.signature is not SignaturePolicy.IGNORE
        if isinstance(source, Behind):
            _require_gateway(settings, registry, one.name, source.gateway)
        elif not signed and any(rule.do.goes_out for rule in one.deeds):
            raise SettingsError(
                f"来源 {one.name}：消息要自动发出（deeds 的 hold、issue），必须验证签名。",
                remedy='请写 signature = "require" 和 certificates，或把 do 改为 draft。',
            )


def _require_gateway(settings: Settings, registry: Registry, source: str, name: str) -> None:
    gateway = next((one for one in settings.gateways if one.name == name), None)
    plugin = registry.plugin(gateway.channel, gateway.driver) if gateway is not None else None
    if gateway is None or gateway.rehearsal or not isinstance(plugin, TakesOrders):
        raise SettingsError(
            f"来源 {source}：gateway 应为一个能接收上级播发、且不是演练用的网关，不能是 {name!r}。",
            remedy='请写 [[gateways]] 里一个 driver = "ebd" 的网关名称。',
        )
