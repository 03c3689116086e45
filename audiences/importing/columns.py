"""Which column of a roster is which field: the one table of Chinese and English headings, and finding the header.

Headings are compared without blanks, brackets and what they hold, stars, case, full-width forms and a number at the
end, so that `电话1`, `联系电话（必填）` and `Ｐｈｏｎｅ *` are all the phone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from audiences.errors import FileError

# Rosters often carry a title above the header.
HEADER_WITHIN_ROWS = 10

_REGION = (
    "区域编码",
    "区划代码",
    "行政区划代码",
    "网格编码",
    "网格代码",
    "村编码",
    "村社编码",
    "region_code",
    "grid_code",
    "region",
)
_POSITION = {
    "lon": ("经度", "lon", "lng", "longitude", "x"),
    "lat": ("纬度", "lat", "latitude", "y"),
}
_ADDRESSES = {
    "phone": (
        "电话", "电话号码", "手机", "手机号", "手机号码", "联系电话", "联系方式", "备用电话", "户主电话", "固定电话",
        "座机", "phone", "mobile", "tel", "telephone",
    ),
    "wechat": ("微信", "微信号", "微信openid", "openid", "wechat"),
    "email": ("邮箱", "电子邮箱", "电子邮件", "邮件", "email", "mail", "e-mail"),
}  # fmt: skip
_ACTIVE = {"active": ("在用", "是否在用", "在册", "是否在册", "启用", "active")}

HOUSEHOLD: Mapping[str, tuple[str, ...]] = {
    "external_id": ("户号", "户编号", "住户编号", "家庭编号", "household", "household_id", "external_id", "id"),
    "region_code": _REGION,
    "name": ("户主", "户主姓名", "householder", "head", "name"),
    "address": ("地址", "住址", "家庭住址", "详细地址", "居住地址", "address"),
    **_POSITION,
    **_ADDRESSES,
    "tags": ("标签", "特殊人群", "人群标签", "特殊情况", "tags", "tag"),
    "members": ("姓名", "成员", "家庭成员", "成员姓名", "person", "members", "member"),
    "language": ("语言", "language"),
    "risk": ("风险", "风险值", "risk"),
    "size": ("人数", "人口", "家庭人口", "常住人口", "户内人数", "size"),
    **_ACTIVE,
}
REGION: Mapping[str, tuple[str, ...]] = {
    "code": ("编码", "代码", "code", *_REGION),
    "name": ("名称", "区域名称", "村名", "村社", "网格", "网格名称", "name"),
    "parent": ("上级", "上级编码", "上级代码", "parent", "parent_code"),
    **_POSITION,
}
DUTY: Mapping[str, tuple[str, ...]] = {
    "person": ("人员编号", "人员编码", "工号", "person_id", "person"),
    "name": ("姓名", "name"),
    **_ADDRESSES,
    "region_code": _REGION,
    "role": ("角色", "职务", "岗位", "role", "duty"),
    "rank": ("主副", "正副", "级别", "类别", "rank"),
    "valid_from": ("生效日期", "任职日期", "开始日期", "valid_from", "from"),
    "valid_to": ("失效日期", "离任日期", "截止日期", "有效期至", "valid_to", "to"),
    "language": ("语言", "language"),
}
TERMINAL: Mapping[str, tuple[str, ...]] = {
    "external_id": (
        "资源编码", "终端编码", "终端编号", "设备编码", "设备编号", "ebrid", "terminal_id", "external_id", "id",
    ),
    "name": ("名称", "终端名称", "设备名称", "name"),
    "region_code": _REGION,
    **_POSITION,
    "kind": ("类型", "终端类型", "设备类型", "kind", "type"),
    "address": ("网络地址", "接入地址", "通信地址", "address"),
    **_ACTIVE,
}  # fmt: skip

STATION: Mapping[str, tuple[str, ...]] = {
    "external_id": (
        "站码", "测站编码", "站点编码", "设备编码", "监测点编号", "mn", "station", "code", "external_id", "id",
    ),
    "name": ("名称", "站名", "站点名称", "测站名称", "name"),
    "region_code": _REGION,
    **_POSITION,
    "kind": ("类型", "站类", "站点类型", "kind", "type"),
    "clusters": ("分组", "组", "站组", "groups", "group"),
    "period": ("上报间隔", "间隔", "上报间隔分钟", "period"),
    "warning": ("警戒水位", "warning"),
    "guarantee": ("保证水位", "guarantee"),
    "limits": ("阈值", "限值", "limits"),
    **_ACTIVE,
}  # fmt: skip

_NOISE = re.compile(r"\(.*?\)|\[.*?\]|[\s*:_\ufeff]+")
_NUMBER = re.compile(r"(?<=\D)\d{1,2}$")

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Header:
    """Where the fields are: the columns of each (from 0), all headings as written, and those that nobody claimed."""

    positions: Mapping[str, tuple[int, ...]]
    headings: tuple[str, ...]
    ignored: tuple[str, ...]

    def has(self, field: str) -> bool:
        return field in self.positions

    def first(self, field: str) -> int:
        """The first column of a field, -1 when there is none."""
        return self.positions.get(field, (-1,))[0]

    def heading(self, field: str) -> str:
        """The field's heading as written, or the one that is expected."""
        column = self.first(field)
        return self.headings[column] if column >= 0 else field


def find_header(
    rows: Iterator[Row], fields: Mapping[str, tuple[str, ...]], required: Iterable[str]
) -> tuple[Header, Iterator[Row]]:
    """The header and the rows below it; FileError names the missing columns when there is no header near the top."""
    wanted = list(required)
    best: list[str] = wanted
    seen: list[str] = []
    for number, cells in rows:
        header = match(cells, fields)
        missing = [field for field in wanted if not header.has(field)]
        if not missing:
            return header, rows
        if len(missing) < len(best) or not seen:
            best, seen = missing, [cell for cell in cells if cell.strip()]
        if number >= HEADER_WITHIN_ROWS:
            break
    names = "、".join(f"{fields[field][0]}（{fields[field][-1]}）" for field in best)
    found = "、".join(heading[:20] for heading in seen[:20]) or "空"
    raise FileError(
        f"找不到表头：缺少列 {names}；看到的是 {found}。",
        remedy=f"请在前 {HEADER_WITHIN_ROWS} 行内给出表头，可用的列名：{'、'.join(chain(*fields.values()))}。",
    )


def match(cells: list[str], fields: Mapping[str, tuple[str, ...]]) -> Header:
    """The headings that are known, wherever they stand."""
    names = {_plain(name): field for field, names in fields.items() for name in names}
    positions: dict[str, tuple[int, ...]] = {}
    ignored = []
    for column, heading in enumerate(cells):
        field = names.get(_plain(heading)) or names.get(_NUMBER.sub("", _plain(heading)))
        if field is not None:
            positions[field] = (*positions.get(field, ()), column)
        elif heading.strip():
            ignored.append(heading.strip()[:40])
    return Header(positions, tuple(cell.strip() for cell in cells), tuple(ignored))


def _plain(heading: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", heading)).casefold()
