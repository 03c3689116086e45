"""Reading `[[sensors]]`: the keys that every one has, by rule; the kind's own keys, as they are."""

from __future__ import annotations

from dataclasses import dataclass, fields

from broadcaster.sensing import SensorSettings
from broadcaster.settings.checking import Checker
from broadcaster.settings.reading import Key
from broadcaster.settings.rules import setting, text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sensor:
    """The keys that every entry has."""

    name: str = setting(text("小写字母、数字、- 和 _，以字母开头，至多 40 个字符", pattern=r"[a-z][a-z0-9_\-]{0,39}"))
    kind: str = setting(text("接入的种类，如 mqtt、sl651、hj212", pattern=r"[a-z][a-z0-9_]*"))


KEYS = tuple(one.name for one in fields(_Sensor))


def read_sensors(checker: Checker) -> tuple[SensorSettings, ...]:
    """Every `[[sensors]]`; what is wrong becomes a problem of `checker`."""
    names: set[str] = set()

    def read(key: Key, raw: object) -> SensorSettings | None:
        common = checker.section(_Sensor, key) if isinstance(raw, dict) else {}
        options = {
            name: checker.free((*key, name), value) for name, value in checker.table(key).items() if name not in KEYS
        }
        if common.get("name") in names:
            checker.refuse((*key, "name"), f"与另一个接入重名：{common['name']}")
        names.add(common.get("name", ""))
        if len(common) < len(KEYS):  # something was missing or wrong; it has been reported
            return None
        return SensorSettings(**common, options=options)

    found = checker.rows(("sensors",), read) or ()
    return tuple(sensor for sensor in found if sensor is not None)
