"""Numbers that are names: telephones, hotlines, roads, stakes, rooms, houses, standards, typhoons. They are said digit
by digit, one being 幺, where counting them would not be understood."""

from __future__ import annotations

import re

from templates.speech.numerals import cardinal, digits, telephone
from templates.speech.rules import Reading, Rule
from templates.speech.units import COUNTED

_HOTLINE = re.compile(
    r"11[0249]|12[02]|999|121(?:10|19|22|23)|12(?:315|328|345|350|369|379|395)|9[56]\d{3}|100(?:00|10|86)"
)
_DIALLED = re.compile(r"(?:电话|拨打|致电|热线|号码|手机|座机|短号|呼叫|联系|传真)[^。；，]{0,6}，?$")
_EXTENDED = re.compile(r"[零幺二三四五六七八九]{3}$")
_DASH = "[-－—–]"
_STANDARDS = "GB|GY|GD|GA|QX|SL|HJ|DB|DZ|YD|JT|MH"


def _telephone(match: re.Match[str], _: Reading) -> str:
    number = re.sub(r"[^\d]", "，", match.group().removeprefix("+86").strip(" ()（）-－—–"))
    return telephone(re.sub("，+", "，", number))


def _extension(match: re.Match[str], reading: Reading) -> str | None:
    return f"转{telephone(match['number'])}" if _EXTENDED.search(reading.tail) else None


def _hotline(match: re.Match[str], reading: Reading) -> str | None:
    number = match.group()
    if re.match(COUNTED, match.string[match.end() :]):
        return None
    return telephone(number) if _HOTLINE.fullmatch(number) or _DIALLED.search(reading.tail) else None


def _road(match: re.Match[str], _: Reading) -> str:
    return f"{match['letter']}{telephone(match['number'])}"


def _standard(match: re.Match[str], _: Reading) -> str:
    letters = re.sub("[^A-Z]", "", match["letters"] + (match["kind"] or ""))
    return f" {' '.join(letters)} {telephone(match['number'])}"


RULES: tuple[Rule, ...] = (
    Rule.of(r"(?:\+86[- ]?)?(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)", _telephone),
    Rule.of(rf"(?<!\d)(?:[(（]0\d{{2,3}}[)）]|0\d{{2,3}}(?:{_DASH}| ))\d{{3,4}} ?\d{{4}}(?!\d)", _telephone),
    Rule.of(r"(?<!\d)0\d{10,11}(?!\d)", _telephone),
    Rule.of(rf"(?<!\d)[48]00(?:{_DASH}| )?\d{{3}}(?:{_DASH}| )?\d{{4}}(?!\d)", _telephone),
    Rule.of(rf"(?<!\d)[48]00(?:{_DASH}| )?\d{{4}}(?:{_DASH}| )?\d{{3}}(?!\d)", _telephone),
    Rule.of(r"转(?P<number>\d{3,5})(?!\d)", _extension),
    Rule.of(r"(?<![\d.])\d{3,12}(?![\d.]*\d)", _hotline),
    # roads and what stands at them
    Rule.of(r"(?<![A-Za-z])K(\d{1,4})\+(\d{3})(?!\d)", lambda m, _: f"K{telephone(m[1])}加{telephone(m[2])}"),
    Rule.of(r"(?<![A-Za-z])(?P<letter>[GSXYZ])(?P<number>\d{2,4})(?!\d)", _road),
    Rule.of(r"(?<!\d)\d{3}(?=国道|省道|县道|乡道|室|号房|房间|路(?:公交|车|线))", lambda m, _: telephone(m[0])),
    Rule.of(r"(?<!\d)\d{4}(?=室|号房|房间)", lambda m, _: telephone(m[0])),
    Rule.of(r"(?<=[路街弄巷道村里])\d{3,5}(?=号)", lambda m, _: telephone(m[0])),
    Rule.of(r"(?<![\d.])(\d{1,3})#(?![\d#])", lambda m, _: f"{cardinal(int(m[1]))}号"),
    Rule.of(r"(?:(?<![A-Za-z])N[Oo]\.? ?|№ ?)(\d{1,6})(?![\d.])", lambda m, _: f"第{cardinal(int(m[1]))}号"),
    # documents and storms
    Rule.of(rf"(?<![A-Za-z])(?P<letters>{_STANDARDS})(?P<kind>/[TZJ])?[ -]?(?P<number>\d{{2,6}})(?!\d)", _standard),
    Rule.of(r"(?<=第)\d{4}(?=号台风)", lambda m, _: digits(m[0])),
    Rule.of(r"""(?<=[”"’』」])[（(](\d{4})[)）]""", lambda m, _: f"，{digits(m[1])}，"),
    Rule.of(
        r"(?<![\d.])(\d{1,2})[·•・.](\d{1,2})(?=[”\"』」]?(?:特大|洪灾|洪水|水灾|事故|事件|地震|泥石流))",
        lambda m, _: digits(m[1] + m[2]),
    ),
)
