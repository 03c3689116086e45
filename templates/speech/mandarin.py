"""A written Chinese warning as it is read aloud: the table of rules, most particular first."""

from __future__ import annotations

import re
from functools import partial

from templates.speech.clock import time_of_day
from templates.speech.designations import RULES as DESIGNATIONS
from templates.speech.numerals import cardinal, decimal, digits, quantity, telephone
from templates.speech.rules import Reading, Rule, scan
from templates.speech.units import COLOURS, COUNTED, DEGREES, MANDARIN_UNITS, MEASURES, UNITS

NUMBER = r"\d+(?:\.\d+)?"
TO = r"\s*(?:[-~～—–－−至到]|——)\s*"
RATES = "|".join(map(re.escape, (unit for unit in MANDARIN_UNITS if "/" in unit)))
DEGREE = "|".join(map(re.escape, sorted(DEGREES, key=len, reverse=True)))

_ITEMS = {chr(start + number): number + 1 for start in (0x2460, 0x2488) for number in range(20)}  # ① to ⑳, ⒈ to ⒛
_ITEMS |= {chr(0x3220 + number): number + 1 for number in range(10)}  # ㈠ to ㈩
_FRACTIONS = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8)}
_MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_UNITED = "[日号时点分月年级度℃%#层]"  # what stands before the dash of a range whose two ends have their own unit
_ROMAN = {"Ⅰ": "一", "Ⅱ": "二", "Ⅲ": "三", "Ⅳ": "四", "Ⅴ": "五", "Ⅵ": "六", "Ⅶ": "七", "Ⅷ": "八", "Ⅸ": "九", "Ⅹ": "十"}
_LATIN_ROMAN = {"I": "一", "II": "二", "III": "三", "IV": "四", "V": "五"}
_SYMBOLS = {
    "≥": "大于等于",
    "≧": "大于等于",
    "≤": "小于等于",
    "≦": "小于等于",
    ">": "大于",
    "＞": "大于",
    "<": "小于",
    "＜": "小于",
    "≈": "约",
    "±": "正负",
    "×": "乘",
    "=": "等于",
    "+": "加",
    "&": "和",
    "→": "到",
    "²": "平方",
    "³": "立方",
    "℃": "摄氏度",
}
_HANZI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_PAUSES = dict.fromkeys("。；;\n\r…", "。") | {"！": "！", "!": "！", "？": "？", "?": "？", "〇": "零"}
_PAUSES |= dict.fromkeys("，、：,:.（）()【】[]〔〕「」『』〈〉{}/／|—–-~～·•※★●■◆▲△○□☆◇_＿\\^`*#@$§￥%‰°", "，")
_PAUSES |= dict.fromkeys(" \t\u3000\xa0“”‘’\"'《》\u200b\u200c\u200d\ufeff\ufe0f", " ")  # letters beside it stay apart
_WIDE: dict[int, int | str] = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_WIDE |= {ord(wide): narrow for wide, narrow in zip("％．＋＝˚µ＃∶", "%.+=°μ#:", strict=True)}
_WIDE |= {ord("㎜"): "mm", ord("㎝"): "cm", ord("㎞"): "km", ord("㎡"): "m²", ord("㎏"): "kg", ord("㎥"): "m³"}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))", re.ASCII)


def read(text: str, keep: str = "") -> Reading:
    """Read a whole text; `spoken` holds hanzi, Latin words and letters, pauses (，。！？) and what is in `keep`."""
    return scan(_THOUSANDS.sub("", text.translate(_WIDE)), RULES, _character, keep)


def _character(character: str, reading: Reading) -> str:
    if character in _PAUSES:
        return _PAUSES[character]
    if _HANZI.match(character) or (character.isalpha() and character < "\u0250") or character in reading.keep:
        return character
    reading.unread.append(character)
    return " "


def _unread(match: re.Match[str], reading: Reading) -> str:
    reading.unread.append(match.group())
    return "，"


def _date(match: re.Match[str], _: Reading) -> str | None:
    year, month, day = match["year"], int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{digits(year)}年{cardinal(month)}月{cardinal(day)}日"


def _stamp(match: re.Match[str], reading: Reading) -> str | None:
    date, clock = _date(match, reading), _clock(match, reading)
    return f"{date}{clock}" if date and clock else None


def _clock(match: re.Match[str], reading: Reading) -> str | None:
    hour, minute = int(match["hour"]), match.groupdict().get("minute")
    if hour > 24 or (minute and int(minute) > 59):
        return None
    return time_of_day(hour, int(minute) if minute else None, after=reading.tail)


def _month_day(match: re.Match[str], _: Reading) -> str | None:
    month, day = int(match["month"]), int(match["day"])
    return f"{cardinal(month)}月{cardinal(day)}日" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _half_day(match: re.Match[str], reading: Reading) -> str | None:
    hour, after_noon = int(match["hour"]), match["half"] in "Pp"
    if not 1 <= hour <= 12:
        return None
    return time_of_day(hour % 12 + 12 * after_noon, int(match["minute"]), after=reading.tail)


def _clock_range(match: re.Match[str], reading: Reading) -> str | None:
    first, last = int(match["first"]), int(match["last"])
    if first > 24 or last > 24:
        return None
    begin = time_of_day(first, _minutes(match, "first_minute", "first_fen"), after=reading.tail)
    return f"{begin}到{time_of_day(last, _minutes(match, 'last_minute', 'last_fen'))}"


def _minutes(match: re.Match[str], *groups: str) -> int | None:
    return next((int(match[group]) for group in groups if match[group]), None)


def _range(match: re.Match[str], _: Reading) -> str:
    unit = match["unit"] or ""
    counted = bool(unit) or bool(re.match(MEASURES, match.string[match.end() :]))
    said = quantity if counted else decimal
    return f"{decimal(match['first'])}到{said(match['last'])}{MANDARIN_UNITS.get(unit, unit)}"


def _temperature(match: re.Match[str], _: Reading) -> str:
    below = "零下" if match["sign"] else ""
    return f"{below}{decimal(match['number'])}{DEGREES[match['unit']]}"


def _temperature_range(match: re.Match[str], _: Reading) -> str:
    first, last = (("零下" if match[s] else "") + decimal(match[n]) for s, n in (("s1", "first"), ("s2", "last")))
    return f"{first}到{last}{DEGREES[match['unit']]}"


def _percent(match: re.Match[str], _: Reading, *, of: str = "百") -> str:
    first = f"{of}分之{decimal(match['first'])}"
    last = match.groupdict().get("last")
    return f"{first}到{of}分之{decimal(last)}" if last else first


def _measured(match: re.Match[str], _: Reading) -> str:
    return f"{quantity(match['number'])}{MANDARIN_UNITS[match['unit']]}"


def _plain(match: re.Match[str], _: Reading) -> str:
    number = match.group()
    if "." not in number and (len(number) > 8 or (len(number) > 1 and number.startswith("0"))):
        return digits(number)
    if len(number) in (7, 8) and number.isdigit() and not re.match(COUNTED, match.string[match.end() :]):
        return telephone(number)
    counts = bool(re.match(MEASURES, match.string[match.end() :])) and not match.string[: match.start()].endswith("第")
    return quantity(number) if counts else decimal(number)


def _item(match: re.Match[str], _: Reading) -> str:
    return f"，第{cardinal(int(match['number']))}，"


def _money(match: re.Match[str], _: Reading) -> str:
    scale = match["scale"] or ""
    said = quantity(match["number"]) if scale else decimal(match["number"])
    return f"{said}{scale}{'' if match['unit'] else _MONEY[match['sign']]}{match['unit'] or ''}"


def _angle(match: re.Match[str], _: Reading) -> str:
    seconds = f"{decimal(match['seconds'])}秒" if match["seconds"] else ""
    return f"{cardinal(int(match['degrees']))}度{cardinal(int(match['minutes']))}分{seconds}"


def _letters(match: re.Match[str], _: Reading) -> str:
    if len(match.group()) > 4 and re.search("[AEIOUY]", match.group()):
        return match.group()  # a word in capitals, not an abbreviation
    return f" {' '.join(match.group())} "


RULES: tuple[Rule, ...] = (
    Rule.of(r"(?:https?://|www\.)[^\s，。；！？、）】”]+", _unread),
    Rule.of(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _unread),
    # dates and times
    Rule.of(
        r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[T ]+"
        r"(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?:[:：]\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?(?!\d)",
        _stamp,
    ),
    Rule.of(r"(?<![\d/])(?P<month>\d{1,2})/(?P<day>\d{1,2})(?=[ 　]+\d{1,2}[:：]\d{2})", _month_day),
    Rule.of(r"(?<!\d)(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)", _date),
    Rule.of(rf"(?<!\d)(\d{{4}})年?{TO}(\d{{4}})年(?!一遇)", lambda m, _: f"{digits(m[1])}到{digits(m[2])}年"),
    Rule.of(r"(?<!\d)((?:19|20|21)\d{2})年(?!一遇)", lambda m, _: f"{digits(m[1])}年"),
    Rule.of(
        rf"(?<!\d)(\d{{1,2}})月(\d{{1,2}}){TO}(\d{{1,2}})([日号])",
        lambda m, _: f"{cardinal(int(m[1]))}月{cardinal(int(m[2]))}到{cardinal(int(m[3]))}{m[4]}",
    ),
    Rule.of(r"(?<!\d)(\d{1,2})月(\d{1,2})([日号])", lambda m, _: f"{cardinal(int(m[1]))}月{cardinal(int(m[2]))}{m[3]}"),
    Rule.of(r"(?<![\d.:])(?P<hour>\d{1,2})[:：](?P<minute>[0-5]\d) ?(?P<half>[AaPp])\.?[Mm](?![A-Za-z])\.?", _half_day),
    Rule.of(
        rf"(?<![\d.])(?P<first>\d{{1,2}})(?:[:：](?P<first_minute>[0-5]\d)|时(?:(?P<first_fen>[0-5]?\d)分)?)?{TO}"
        r"(?P<last>\d{1,2})(?:[:：](?P<last_minute>[0-5]\d)(?!\d)|时(?!间|段|期|候)(?:(?P<last_fen>[0-5]?\d)分)?)",
        _clock_range,
    ),
    Rule.of(r"(?<![\d.:])(?P<hour>\d{1,2})[:：](?P<minute>[0-5]\d)(?:[:：][0-5]\d)?(?![\d:])", _clock),
    Rule.of(r"(?<![\d.])(?P<hour>\d{1,2})时(?!间|段|期|候)(?:(?P<minute>\d{1,2})分)?", _clock),
    Rule.of(r"(?<![\d.])(?P<hour>\d{1,2})点(?P<minute>\d{2}(?!\d)|\d{1,2}(?=分))分?", _clock),
    Rule.of(r"(?<![\d.])(?P<hour>\d{1,2})点(?=[整半钟前后])", _clock),
    Rule.of(r"(?<![\d.])2点(?!\d)", lambda *_: "两点"),
    Rule.of(
        rf"(?:(?<={_UNITED})|(?<=[:：]\d\d)) ?(?:[-~～—–－−]|——) ?"
        r"(?!\d{3,4}(?:室|号房|房))(?=[-－−]?\d|次日|次年|今|明|后天|零下|负|地下)",
        lambda *_: "到",
    ),
    Rule.of(r"'(\d{2})年", lambda m, _: f"{digits(m[1])}年"),
    Rule.of(r"[〔\[（(](20\d{2})[〕\]）)]", lambda m, _: digits(m[1])),
    *DESIGNATIONS,
    # quantities
    Rule.of(rf"(?P<sign>[{''.join(_MONEY)}]) ?(?P<number>{NUMBER})(?P<scale>[千万亿])?(?P<unit>元)?", _money),
    Rule.of(
        r"(?<=[元人户个只斤吨度次台套升米])/(?=户|人|天|日|月|年|小时|时|分|亩|公里|千米|平方|立方|次|台|套|辆|村|组)",
        lambda *_: "每",
    ),
    Rule.of(r"(?<=[a-z米])/(?=\d{1,2} ?(?:h|小时))", lambda *_: "每"),
    Rule.of(rf"(?P<first>{NUMBER})%?{TO}(?P<last>{NUMBER})%", _percent),
    Rule.of(rf"(?P<first>{NUMBER})%", _percent),
    Rule.of(rf"(?P<first>{NUMBER})‰", partial(_percent, of="千")),
    Rule.of(
        rf"(?P<s1>[-－−—]|零下)?(?P<first>{NUMBER})(?:{DEGREE})?{TO}(?P<s2>[-－−]|零下)?(?P<last>{NUMBER})(?P<unit>{DEGREE})",
        _temperature_range,
    ),
    Rule.of(rf"(?<![\d.])(?P<sign>[-－−]|零下)?(?P<number>{NUMBER})\s?(?P<unit>{DEGREE})", _temperature),
    Rule.of(r"(?<!\d)(?P<degrees>\d{1,3})°(?P<minutes>\d{1,2})[′'](?:(?P<seconds>\d{1,2}(?:\.\d+)?)[″\"])?", _angle),
    Rule.of(rf"(?<![A-Za-z])N(?P<number>{NUMBER})°", lambda m, _: f"北纬{decimal(m['number'])}度"),
    Rule.of(rf"(?<![A-Za-z])E(?P<number>{NUMBER})°", lambda m, _: f"东经{decimal(m['number'])}度"),
    Rule.of(rf"(?P<number>{NUMBER})°\s?[NＮ]", lambda m, _: f"北纬{decimal(m['number'])}度"),
    Rule.of(rf"(?P<number>{NUMBER})°\s?[EＥ]", lambda m, _: f"东经{decimal(m['number'])}度"),
    Rule.of(rf"(?<![\d.])(?P<first>{NUMBER}){TO}(?P<last>{NUMBER})(?!\d)\s?(?P<unit>(?:{UNITS})(?![A-Za-z]))?", _range),
    Rule.of(rf"(?<![\d.])({NUMBER})[×xX*]({NUMBER})", lambda m, _: f"{decimal(m[1])}乘{decimal(m[2])}"),
    Rule.of(rf"(?<![\d.])(?P<number>{NUMBER})\s?(?P<unit>(?:{UNITS})(?![A-Za-z]))", _measured),
    Rule.of(rf"(?:{RATES})(?![A-Za-z])", lambda m, _: MANDARIN_UNITS[m[0]]),
    Rule.of(rf"(?<=[(（:：])(?:{UNITS})(?=[)）。，；\n]|$)", lambda m, _: MANDARIN_UNITS[m[0]]),
    Rule.of(r"(?<![\d.:])(\d{1,6}):(\d{1,6})(?![\d:])", lambda m, _: f"{decimal(m[1])}比{decimal(m[2])}"),
    Rule.of(f"[{''.join(_FRACTIONS)}]", lambda m, _: "{1}分之{0}".format(*map(cardinal, _FRACTIONS[m[0]]))),
    Rule.of(
        r"(?<![\d./])([1-9]\d{0,2})/([1-9]\d{0,2})(?![\d/])",
        lambda m, _: f"{cardinal(int(m[2]))}分之{cardinal(int(m[1]))}",
    ),
    # lists, levels, colours
    Rule.of(rf"(?i:(?<![A-Za-z])(?:{'|'.join(COLOURS)}))(?=预警|信号|级)", lambda m, _: COLOURS[m[0].lower()]),
    Rule.of(r"(?:(?<=[。；;：:，\n ])|^)(?P<number>\d{1,2})[.、．](?!\d)\s*", _item),
    Rule.of(r"(?:(?<=[。；;：:\n])|^)(?P<number>\d{1,2})[)）][.、．]?\s*", _item),
    Rule.of(r"[(（](?P<number>\d{1,2})[)）]", _item),
    Rule.of(rf"[{''.join(_ITEMS)}]", lambda m, _: f"，第{cardinal(_ITEMS[m[0]])}，"),
    Rule.of(rf"[{''.join(_ROMAN)}]", lambda m, _: _ROMAN[m[0]]),
    Rule.of(r"(?<![A-Za-z])(IV|I{1,3}|V)(?=级)", lambda m, _: _LATIN_ROMAN[m[0]]),
    # what is left
    Rule.of(r"(?<=地下)[-－−](?=\d)", lambda *_: ""),
    Rule.of(rf"(?<![\d%\w])[-－−](?={NUMBER}%)|(?<=[\u4e00-\u9fff])[-－−](?={NUMBER}%)", lambda *_: "负"),
    Rule.of(rf"[-－−](?={NUMBER}度)", lambda *_: "零下"),
    Rule.of(rf"(?:(?<=[\s，。；：（(])|^)[-－−](?={NUMBER})", lambda *_: "负"),
    Rule.of(NUMBER, _plain),
    Rule.of(r"(?<![A-Za-z])[A-Z]{2,}(?![a-z])", _letters),
    Rule.of(rf"[{re.escape(''.join(_SYMBOLS))}]", lambda m, _: _SYMBOLS[m[0]]),
)
