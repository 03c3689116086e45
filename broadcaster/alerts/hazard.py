"""The hazards that the house knows: one slug for templates and forms, one code for the national platforms.

Codes are the five characters of GB/T 35561 (突发事件分类与编码) as China's warning platforms use them: class, family,
then two digits for the event. A hazard whose code could not be confirmed in public use has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from broadcaster.alerts.vocabulary import Category

EVENT_CODE_NAME = "GB/T 35561"
"""The valueName under which an info carries the national event code."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """`words` are other names found in messages, in any language, lower case."""

    slug: str
    code: str
    chinese: str
    category: Category
    words: tuple[str, ...] = ()


_MET, _GEO, _FIRE = Category.MET, Category.GEO, Category.FIRE

HAZARDS: dict[str, Hazard] = {
    hazard.slug: hazard
    for hazard in (
        Hazard("flood", "11A01", "洪水", _MET, ("flood", "江河洪水")),
        Hazard("waterlogging", "11A02", "内涝", _MET, ("waterlogging", "urban flood", "积涝", "渍涝")),
        Hazard("flash_flood", "11A51", "山洪", _MET, ("flash flood", "山洪灾害")),
        Hazard("typhoon", "11B01", "台风", _MET, ("typhoon", "tropical cyclone", "hurricane")),
        Hazard("tornado", "11B02", "龙卷风", _MET, ("tornado",)),
        Hazard("rainstorm", "11B03", "暴雨", _MET, ("rainstorm", "heavy rain", "torrential rain", "强降雨")),
        Hazard("snowstorm", "11B04", "暴雪", _MET, ("snowstorm", "blizzard", "heavy snow")),
        Hazard("cold_wave", "11B05", "寒潮", _MET, ("cold wave", "cold snap")),
        Hazard("gale", "11B06", "大风", _MET, ("gale", "high wind", "strong wind")),
        Hazard("sandstorm", "11B07", "沙尘暴", _MET, ("sandstorm", "dust storm", "沙尘")),
        Hazard("heat", "11B09", "高温", _MET, ("heat", "high temperature")),
        Hazard("lightning", "11B14", "雷电", _MET, ("lightning", "thunder", "雷暴")),
        Hazard("hail", "11B15", "冰雹", _MET, ("hail",)),
        Hazard("frost", "11B16", "霜冻", _MET, ("frost",)),
        Hazard("fog", "11B17", "大雾", _MET, ("fog", "浓雾")),
        Hazard("haze", "11B19", "霾", _MET, ("haze",)),
        Hazard("thunder_gale", "11B20", "雷雨大风", _MET, ("thunderstorm gale", "thunderstorm wind", "强对流")),
        Hazard("road_icing", "11B21", "道路结冰", _MET, ("road icing", "icy road")),
        Hazard("drought", "11B22", "干旱", _MET, ("drought",)),
        Hazard("forest_fire_danger", "11B25", "森林火险", _FIRE, ("forest fire danger", "fire weather", "火险")),
        Hazard("earthquake", "11C02", "地震", _GEO, ("earthquake",)),
        Hazard("geological", "11D00", "地质灾害", _GEO, ("geological", "地灾", "geohazard")),
        Hazard("landslide", "11D01", "滑坡", _GEO, ("landslide", "山体滑坡")),
        Hazard("debris_flow", "11D02", "泥石流", _GEO, ("debris flow", "mudslide")),
        Hazard("storm_surge", "11E02", "风暴潮", _MET, ("storm surge",)),
        Hazard("sea_wave", "11E06", "海浪", _MET, ("sea wave", "high surf")),
        Hazard("forest_fire", "11G01", "森林火灾", _FIRE, ("forest fire", "wildfire", "bushfire", "山火")),
        Hazard("grassland_fire", "11G05", "草原火灾", _FIRE, ("grassland fire", "grass fire")),
        Hazard(
            "hazmat",
            "",
            "危险化学品泄漏",
            Category.CBRNE,
            ("hazmat", "hazardous material", "chemical", "危化品", "危险化学品"),
        ),
        Hazard("drill", "", "演练", Category.OTHER, ("drill", "exercise", "演习")),
        Hazard("generic", "", "突发事件", Category.OTHER),
    )
}

_BY_CODE = {hazard.code: hazard for hazard in HAZARDS.values() if hazard.code}


def _pattern(name: str) -> re.Pattern[str]:
    """English names stand as whole words (Shanghai holds no hail); Chinese has no word boundaries."""
    return re.compile(rf"\b{re.escape(name)}s?\b" if name.isascii() else re.escape(name))


_NAMES = [
    (_pattern(name), hazard)
    for hazard in HAZARDS.values()
    if hazard.slug != "generic"
    for name in (hazard.chinese, hazard.slug.replace("_", " "), *hazard.words)
]


def hazard_of_code(code: str) -> Hazard | None:
    """The hazard of a five-character event code; its family's hazard where only that is known; None otherwise."""
    return _BY_CODE.get(code) or _BY_CODE.get(code[:3] + "00")


def recognise(text: str) -> Hazard | None:
    """The hazard that a free text names, the longest name first (雷雨大风 before 大风); None when it names none."""
    lowered = text.casefold()
    found = [(match.group(), hazard) for pattern, hazard in _NAMES if (match := pattern.search(lowered))]
    return max(found, key=lambda pair: len(pair[0]))[1] if found else None
