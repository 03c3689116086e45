"""Reading `[[gateways]]`: the keys that every gateway has, by rule; the driver's own keys, as they are."""

from __future__ import annotations

from dataclasses import dataclass, fields

from broadcaster.ports import NETWORKS, GatewaySettings, Medium
from broadcaster.settings.checking import Checker
from broadcaster.settings.reading import Key
from broadcaster.settings.rules import choice, integer, number, setting, several, text, truth


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gateway:
    """The keys that every gateway has."""

    name: str = setting(text("小写字母、数字、- 和 _，以字母开头，至多 40 个字符", pattern=r"[a-z][a-z0-9_\-]{0,39}"))
    channel: str = setting(choice(*(medium.value for medium in Medium)))
    driver: str = setting(text("驱动的名称，如 cmpp、smtp、rehearsal", pattern=r"[a-z][a-z0-9_\-]*"))
    rate: float = setting(number(0.001, 100_000, "条/秒"))
    slots: int = setting(integer(1, 1000), 1)
    rehearsal: bool = setting(truth(), False)
    priority: int = setting(integer(-1000, 1000), 0)
    weight: int = setting(integer(1, 1000), 1)
    networks: tuple[str, ...] = setting(several(NETWORKS), ())


def read_gateways(checker: Checker) -> tuple[GatewaySettings, ...]:
    names: set[str] = set()

    def read(key: Key, raw: object) -> GatewaySettings | None:
        common = checker.section(_Gateway, key) if isinstance(raw, dict) else {}
        own = {field.name for field in fields(_Gateway)}
        options = {
            name: checker.free((*key, name), value) for name, value in checker.table(key).items() if name not in own
        }
        if common.get("name") in names:
            checker.refuse((*key, "name"), f"与另一个网关重名：{common['name']}")
        names.add(common.get("name", ""))
        try:
            gateway = _Gateway(**common)
        except TypeError:  # something required was missing or wrong; it has been reported
            return None
        if gateway.networks and gateway.channel != Medium.SMS:
            checker.refuse((*key, "networks"), "只有短信网关分运营商")
        values = {name: getattr(gateway, name) for name in own}
        return GatewaySettings(**{**values, "channel": Medium(gateway.channel)}, options=options)

    found = checker.rows(("gateways",), read) or ()
    return tuple(gateway for gateway in found if gateway is not None)
