"""Writing an invented district as the files that a county would import."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from audiences.generator.district import District
from audiences.generator.residents import Official, Resident, loudspeakers, officials, residents
from audiences.generator.storing import outline_geojson
from audiences.records import Rank, Role
from audiences.tags import shown

ROLE_NAMES = {
    Role.VILLAGE_HEAD: "村书记",
    Role.GRID_LEADER: "网格长",
    Role.GRID_MEMBER: "网格员",
    Role.RESPONDER: "应急队员",
    Role.TOWN_LEADER: "镇街负责人",
    Role.DUTY_DESK: "值班室",
}
RANK_NAMES = {Rank.PRIMARY: "主", Rank.DEPUTY: "副"}

_HOUSEHOLD_COLUMNS = (
    "户号", "户主", "网格编码", "地址", "经度", "纬度", "人数", "标签", "微信", "邮箱",
    "电话1", "电话2", "电话3", "电话4",
)  # fmt: skip
_DUTY_COLUMNS = ("人员编号", "姓名", "电话", "微信", "区域编码", "角色", "主副", "任职日期")
_TERMINAL_COLUMNS = ("资源编码", "名称", "区域编码", "经度", "纬度", "接入地址")


def write(district: District, folder: Path) -> None:
    """regions.geojson, households.csv, duties.csv and terminals.csv (UTF-8 with a mark, so that Excel reads them)."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_regions(district, folder / "regions.geojson")
    _write_rows(folder / "households.csv", _HOUSEHOLD_COLUMNS, map(_household_row, residents(district)))
    _write_rows(folder / "duties.csv", _DUTY_COLUMNS, map(_duty_row, officials(district)))
    _write_rows(
        folder / "terminals.csv",
        _TERMINAL_COLUMNS,
        (
            (one.external_id, one.name, one.region_code, one.lon, one.lat, one.external_id)
            for one in loudspeakers(district)
        ),
    )


def _household_row(home: Resident) -> tuple[object, ...]:
    return (
        home.external_id,
        home.name,
        home.region_code,
        home.address,
        home.lon,
        home.lat,
        home.size,
        "、".join(shown(tag) for tag in home.tags),
        home.wechat or "",
        home.email or "",
        *home.phones,
        *[""] * (4 - len(home.phones)),
    )


def _duty_row(who: Official) -> tuple[object, ...]:
    role, rank = ROLE_NAMES[who.role], RANK_NAMES[who.rank]
    return who.external_id, who.name, who.phone, who.wechat, who.region_code, role, rank, "2020-01-01"


def _write_regions(district: District, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [\n')
        for number, region in enumerate(district.regions):
            lon, lat = region.middle
            feature = {
                "type": "Feature",
                "properties": {"code": region.code, "name": region.name, "lon": lon, "lat": lat},
                "geometry": outline_geojson(region.outline) if region.outline else None,
            }
            file.write((",\n" if number else "") + json.dumps(feature, ensure_ascii=False))
        file.write("\n]}\n")


def _write_rows(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
