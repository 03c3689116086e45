"""What stations measure: the elements that the house has a name, a unit and plausible bounds for.

Elements that are not listed are taken as well (a factory's own gas, a pollutant by its code): they have no bounds but
those of the station. Bounds are what nature can do in China, with room to spare: beyond them an instrument is broken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from broadcaster.sensing import LONGEST_ELEMENT

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Element:
    """`unit` of its values, the bounds `low` and `high`; `counter`: it only grows, until it begins anew at zero."""

    name: str
    chinese: str
    unit: str
    low: float
    high: float
    counter: bool = False


ELEMENTS: dict[str, Element] = {
    element.name: element
    for element in (
        Element("water_level", "水位", "m", -200, 9000),
        Element("flow", "流量", "m³/s", -50_000, 150_000),
        Element("velocity", "流速", "m/s", -20, 20),
        Element("rainfall", "时段降水量", "mm", 0, 500),
        Element("rain_total", "累计降水量", "mm", 0, 100_000, counter=True),
        Element("reservoir_inflow", "入库流量", "m³/s", 0, 150_000),
        Element("soil_moisture", "土壤含水率", "%", 0, 100),
        Element("wind_speed", "风速", "m/s", 0, 120),
        Element("wind_direction", "风向", "°", 0, 360),
        Element("temperature", "气温", "℃", -70, 70),
        Element("water_temperature", "水温", "℃", -5, 60),
        Element("humidity", "相对湿度", "%", 0, 100),
        Element("pressure", "气压", "hPa", 400, 1100),
        Element("visibility", "能见度", "m", 0, 100_000),
        Element("snow_depth", "雪深", "cm", 0, 1000),
        Element("displacement", "位移", "mm", -100_000, 100_000),
        Element("tilt", "倾角", "°", -180, 180),
        Element("pm25", "细颗粒物", "μg/m³", 0, 5000),
        Element("pm10", "可吸入颗粒物", "μg/m³", 0, 10_000),
        Element("so2", "二氧化硫", "mg/m³", 0, 10_000),
        Element("nox", "氮氧化物", "mg/m³", 0, 10_000),
        Element("co", "一氧化碳", "mg/m³", 0, 50_000),
        Element("o3", "臭氧", "μg/m³", 0, 5000),
        Element("cod", "化学需氧量", "mg/L", 0, 1_000_000),
        Element("ammonia", "氨氮", "mg/L", 0, 100_000),
        Element("ph", "酸碱度", "", 0, 14),
        Element("combustible_gas", "可燃气体", "%LEL", 0, 100),
        Element("voltage", "电源电压", "V", 0, 100),
    )
}


def is_element(name: str) -> bool:
    """Whether an element may be called that."""
    return len(name) <= LONGEST_ELEMENT and _NAME.fullmatch(name) is not None


def chinese(name: str) -> str:
    """What people call it; its name where the house knows none."""
    known = ELEMENTS.get(name)
    return known.chinese if known else name


def unit(name: str) -> str:
    """The unit of its values, "" where it has none, or none is known."""
    known = ELEMENTS.get(name)
    return known.unit if known else ""
