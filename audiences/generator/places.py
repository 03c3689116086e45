"""Names of places. The towns are real (public administrative list of Yinzhou, Ningbo), all below them is invented."""

from __future__ import annotations

import random
from dataclasses import dataclass

DISTRICT_CODE = "330212"
DISTRICT_NAME = "鄞州区"

# A convex outline (lon, lat) drawn round the district by hand, counter-clockwise; for rehearsal, not for surveying.
DISTRICT_OUTLINE = (
    (121.502, 29.742),
    (121.515, 29.672),
    (121.590, 29.622),
    (121.742, 29.604),
    (121.872, 29.632),
    (121.944, 29.694),
    (121.952, 29.752),
    (121.885, 29.812),
    (121.782, 29.878),
    (121.690, 29.918),
    (121.630, 29.921),
    (121.558, 29.884),
    (121.516, 29.822),
)


@dataclass(frozen=True, slots=True)
class Town:
    """A street (urban) or a town, roughly where it lies (degrees), and its share of the area."""

    code: str
    name: str
    lon: float
    lat: float
    area: float

    @property
    def urban(self) -> bool:
        return self.name.endswith("街道")


TOWNS = (
    Town("330212001", "下应街道", 121.600, 29.820, 1.0),
    Town("330212002", "钟公庙街道", 121.550, 29.820, 1.0),
    Town("330212004", "梅墟街道", 121.670, 29.900, 1.4),
    Town("330212005", "中河街道", 121.578, 29.830, 0.8),
    Town("330212006", "首南街道", 121.550, 29.795, 1.0),
    Town("330212007", "潘火街道", 121.602, 29.842, 0.9),
    Town("330212008", "百丈街道", 121.572, 29.866, 0.4),
    Town("330212009", "东胜街道", 121.578, 29.873, 0.4),
    Town("330212010", "明楼街道", 121.590, 29.875, 0.4),
    Town("330212011", "白鹤街道", 121.570, 29.858, 0.4),
    Town("330212012", "东柳街道", 121.590, 29.862, 0.4),
    Town("330212013", "东郊街道", 121.612, 29.866, 0.6),
    Town("330212014", "福明街道", 121.612, 29.882, 0.7),
    Town("330212015", "新明街道", 121.640, 29.885, 0.8),
    Town("330212016", "聚贤街道", 121.655, 29.890, 0.9),
    Town("330212100", "瞻岐镇", 121.900, 29.730, 5.0),
    Town("330212101", "咸祥镇", 121.855, 29.660, 4.0),
    Town("330212102", "塘溪镇", 121.755, 29.655, 5.0),
    Town("330212103", "东钱湖镇", 121.665, 29.770, 8.0),
    Town("330212104", "东吴镇", 121.745, 29.810, 4.5),
    Town("330212105", "五乡镇", 121.700, 29.860, 3.5),
    Town("330212106", "邱隘镇", 121.650, 29.850, 1.8),
    Town("330212108", "云龙镇", 121.612, 29.765, 3.0),
    Town("330212109", "横溪镇", 121.605, 29.690, 6.0),
    Town("330212110", "姜山镇", 121.545, 29.735, 5.5),
)

_VILLAGE_CLANS = "王陈李周张徐林吴沈俞史朱胡董钱孙蔡郑鲍施邬忻杨戴翁金应潘"
_VILLAGE_FORMS = (
    "家漕", "家桥", "家弄", "家庄", "家岙", "家堰", "家埭", "家汇", "家河头", "家耷", "家塘", "家横",
)  # fmt: skip
_VILLAGE_LAND = ("上", "下", "前", "后", "东", "西", "南", "北", "大", "小")
_VILLAGE_FEATURES = (
    "岙", "塘", "桥", "浦", "山", "河头", "堰头", "江岸", "渡", "湾", "溪", "墩", "林", "隘", "洋", "碶",
)  # fmt: skip
_ESTATE_FIRST = (
    "东湖",
    "金色",
    "都市",
    "江南",
    "滨江",
    "紫荆",
    "明珠",
    "繁景",
    "锦绣",
    "华泰",
    "宋诏",
    "泰安",
    "彩虹",
    "天伦",
)
_ESTATE_LAST = (
    "花园",
    "水岸",
    "新村",
    "家园",
    "名邸",
    "华庭",
    "春天",
    "广场",
    "苑",
    "里",
    "丽景",
    "北区",
    "南区",
    "东区",
)


def settlement_names(rng: random.Random, count: int, *, urban: bool) -> list[str]:
    """`count` different names of communities (urban) or villages, as a town would have them."""
    if urban:
        stems = [first + last for first in _ESTATE_FIRST for last in _ESTATE_LAST]
    else:
        stems = [clan + form for clan in _VILLAGE_CLANS for form in _VILLAGE_FORMS]
        stems += [side + feature for side in _VILLAGE_LAND for feature in _VILLAGE_FEATURES]
    rng.shuffle(stems)
    suffix = "社区" if urban else "村"
    names = [stem + suffix for stem in stems[:count]]
    return names + [f"第{number}{suffix}" for number in range(len(names) + 1, count + 1)]
