"""Units as they are written in warnings and as they are said: table only."""

from __future__ import annotations

import re

MANDARIN_UNITS: dict[str, str] = {
    # speed, rain rate, flow
    "m/s": "米每秒",
    "米/秒": "米每秒",
    "km/h": "公里每小时",
    "公里/小时": "公里每小时",
    "千米/小时": "千米每小时",
    "公里/时": "公里每小时",
    "mm/h": "毫米每小时",
    "mm/d": "毫米每天",
    "mm/min": "毫米每分钟",
    "毫米/天": "毫米每天",
    "毫米/分": "毫米每分",
    "厘米/秒": "厘米每秒",
    "cm/s": "厘米每秒",
    "cm/h": "厘米每小时",
    "m/h": "米每小时",
    "Km/h": "公里每小时",
    "KM/h": "公里每小时",
    "KM/H": "公里每小时",
    "海里/小时": "海里每小时",
    "m³/h": "立方米每小时",
    "m³/d": "立方米每天",
    "立方米/小时": "立方米每小时",
    "L/s": "升每秒",
    "升/秒": "升每秒",
    "t/h": "吨每小时",
    "吨/小时": "吨每小时",
    "μSv/h": "微西弗每小时",
    "nGy/h": "纳戈瑞每小时",
    "kg/m²": "公斤每平方米",
    "毫米/小时": "毫米每小时",
    "厘米/小时": "厘米每小时",
    "米/小时": "米每小时",
    "m³/s": "立方米每秒",
    "m3/s": "立方米每秒",
    "立方米/秒": "立方米每秒",
    "次/分": "次每分",
    # concentration
    "mg/m³": "毫克每立方米",
    "mg/m3": "毫克每立方米",
    "μg/m³": "微克每立方米",
    "µg/m³": "微克每立方米",
    "ug/m3": "微克每立方米",
    "微克/立方米": "微克每立方米",
    "毫克/立方米": "毫克每立方米",
    "mg/L": "毫克每升",
    "毫克/升": "毫克每升",
    "个/平方公里": "个每平方公里",
    "人/平方公里": "人每平方公里",
    # area, volume, length
    "km²": "平方公里",
    "km2": "平方公里",
    "hm²": "公顷",
    "m²": "平方米",
    "m2": "平方米",
    "m³": "立方米",
    "m3": "立方米",
    "km": "公里",
    "KM": "公里",
    "Km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "m": "米",
    # pressure, mass, power, others
    "hPa": "百帕",
    "kPa": "千帕",
    "MPa": "兆帕",
    "Pa": "帕",
    "kg": "公斤",
    "KG": "公斤",
    "Kg": "公斤",
    "mg": "毫克",
    "g": "克",
    "t": "吨",
    "kW": "千瓦",
    "MW": "兆瓦",
    "kV": "千伏",
    "KV": "千伏",
    "kWh": "千瓦时",
    "V": "伏",
    "ml": "毫升",
    "mL": "毫升",
    "L": "升",
    "dB": "分贝",
    "min": "分钟",
    "h": "小时",
    "s": "秒",
    "°": "度",
}

DEGREES: dict[str, str] = {
    "℃": "摄氏度",
    "°C": "摄氏度",
    "摄氏度": "摄氏度",
    "℉": "华氏度",
    "°F": "华氏度",
}

MEASURES = (
    "个|户|人|名|位|次|场|天|小时|分钟|秒钟|秒|昼夜|周|倍|岁|批|年|厘米|毫米|米|公里|千米|海里"
    "|平方米|平方公里|平方千米|立方米|公顷|亩|吨|公斤|千克|克|升|辆|艘|条|座|处|间|台|只|颗|件|种|项"
    "|块|支|份|元|万|亿|千|百|架|套|顶|袋|箱|把|盏|道|所|家|轮|遍|趟|斤|里|匹|头|株|棵|口|根|桶|瓶|盒|扇|片"
)
"""Words (a pattern) before which exactly two is said 两; labels such as 级 组 号 楼 月 日 keep 二."""

LABELS = "级|组|号|楼|月|日|区|期|栋|幢|层|度|分|时|点|室|队|型|类"
"""Words (a pattern) that may follow a number without making it a telephone number."""

UNITS = "|".join(map(re.escape, sorted(MANDARIN_UNITS, key=len, reverse=True)))
"""All written units (a pattern), the longest first."""

COUNTED = rf"(?:{MEASURES}|{LABELS}|多|余|左右|以上|以下|至|到|[~～%％℃°]|{UNITS})"
"""What (a pattern) after a number says that it counts or measures something."""

COLOURS: dict[str, str] = {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}

ENGLISH_UNITS: dict[str, str] = {
    "m³/s": "cubic metres per second",
    "m3/s": "cubic metres per second",
    "m/s": "metres per second",
    "km/h": "kilometres per hour",
    "mm/h": "millimetres per hour",
    "mg/m³": "milligrams per cubic metre",
    "μg/m³": "micrograms per cubic metre",
    "km²": "square kilometres",
    "m²": "square metres",
    "m³": "cubic metres",
    "hPa": "hectopascals",
    "km": "kilometres",
    "cm": "centimetres",
    "mm": "millimetres",
    "kg": "kilograms",
    "℃": "degrees Celsius",
    "°C": "degrees Celsius",
    "%": "percent",
    "m": "metres",
    "t": "tonnes",
}
