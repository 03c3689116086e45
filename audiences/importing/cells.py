"""What one cell means: each function gives the value to store, or raises CellError with what is allowed there."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from audiences import phone, tags

BEIJING = ZoneInfo("Asia/Shanghai")

# What a spreadsheet would run as a formula; the export puts a quote before it, the import takes the quote away.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_KEY = re.compile(r"[\w\-./#]{1,64}")
_CODE = re.compile(r"\d{6}(?:\d{3}){0,3}")
_POWER = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_WECHAT = re.compile(
    r"[A-Za-z0-9_-]{6,64}|wecom:[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}|group:[a-z0-9][a-z0-9_-]{0,39}", re.ASCII
)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_SEPARATORS = re.compile(r"[,;/|\s、，；／]+")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?")
_YES = {"是", "在用", "在册", "启用", "1", "true", "yes", "y"}
_NO = {"否", "停用", "迁出", "注销", "0", "false", "no", "n"}

KEY = "1–64 个字母、数字、汉字或 - _ . / #，不含空格"
CODE = "区域编码为 6、9、12 或 15 位数字（县、镇街、村社、网格）"
ROUNDED = "长数字被表格软件改成了科学计数法；请把该列设为文本后重新填写"
LON = "经度为 -180 到 180 的度数，如 121.546"
LAT = "纬度为 -90 到 90 的度数，如 29.817（经度在前，勿颠倒）"
WECHAT = "openid（6–64 个字母、数字、- 或 _）、wecom:企业微信账号，或 group:群名称"
EMAIL = "电子邮箱，如 name@example.cn"
RISK = "风险值为 0（最脆弱）到 100 的整数"
SIZE = "人数为 0 到 999 的整数"
YES_NO = "是 或 否"
DAY = "日期，如 2026-05-01，或带时区的时间"
LANGUAGE = "语言代码，如 zh-CN、en"


class CellError(ValueError):
    """`allowed` says what belongs in the cell; `shown` is the value as it may appear in a report."""

    def __init__(self, allowed: str, shown: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.shown = shown[:40]


def text(cell: str, limit: int) -> str:
    """One line of printable text of at most `limit` characters. Not shown in reports: it may be a name."""
    if not cell.isprintable():
        cell = "".join(character if character.isprintable() else " " for character in cell)
    cell = _unquoted(" ".join(cell.split()))
    if len(cell) > limit:
        raise CellError(f"最多 {limit} 个字（这里 {len(cell)} 个）", f"{cell[:1]}…")
    return cell


def key(cell: str) -> str:
    """A natural key: 户号, 人员编号, 资源编码."""
    value = _unquoted(unicodedata.normalize("NFKC", cell).strip())
    if _POWER.fullmatch(value):
        raise CellError(ROUNDED, value)
    if not _KEY.fullmatch(value):
        raise CellError(KEY if value else f"不能为空；{KEY}", value)
    return value


def code(cell: str) -> str:
    """A region code by its form; whether the region exists is the caller's question."""
    value = unicodedata.normalize("NFKC", cell).strip()
    if not _CODE.fullmatch(value) or not value.isascii():
        raise CellError(ROUNDED if _POWER.fullmatch(value) else CODE, value)
    return value


def position(lon_cell: str, lat_cell: str) -> tuple[float, float] | None:
    """(lon, lat) in degrees; None when both are blank."""
    if not (lon_cell or lat_cell):
        return None
    return _degrees(lon_cell, 180, LON), _degrees(lat_cell, 90, LAT)


def _degrees(cell: str, most: int, allowed: str) -> float:
    try:
        value = float(cell)
    except ValueError as error:
        raise CellError(allowed, cell) from error
    if not (math.isfinite(value) and abs(value) <= most):
        raise CellError(allowed, cell)
    return value


def phones(cell: str) -> tuple[list[str], list[CellError]]:
    """The usable numbers of a cell, and what is wrong with the others."""
    return _each(phone.split(cell), _phone)


def wechats(cell: str) -> tuple[list[str], list[CellError]]:
    """The WeChat ids of a cell, and what is wrong with the others."""
    return _each(_words(cell), _wechat)


def emails(cell: str) -> tuple[list[str], list[CellError]]:
    """The mail addresses of a cell (domain in lower case), and what is wrong with the others."""
    return _each(_words(cell), _email)


def _phone(written: str) -> str:
    try:
        return phone.normalise(written)
    except phone.PhoneError as error:
        raise CellError(f"{error}；{phone.ALLOWED}", phone.mask(written)) from error


def _wechat(written: str) -> str:
    if not _WECHAT.fullmatch(written):
        raise CellError(WECHAT, phone.mask(written))
    return written.lower() if written.startswith("wecom:") else written  # WeCom does not tell case apart


def _email(written: str) -> str:
    if not _EMAIL.fullmatch(written):
        raise CellError(EMAIL, phone.mask(written))
    local, _, domain = written.rpartition("@")
    return f"{local}@{domain.lower()}"


def _each(written: list[str], read: Callable[[str], str]) -> tuple[list[str], list[CellError]]:
    values: list[str] = []
    errors: list[CellError] = []
    for word in written:
        try:
            value = read(word)
        except CellError as error:
            errors.append(error)
        else:
            if value not in values:
                values.append(value)
    return values, errors


def _words(cell: str) -> list[str]:
    return [word for word in _SEPARATORS.split(_unquoted(unicodedata.normalize("NFKC", cell))) if word]


def _unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def names(cell: str) -> list[str]:
    """The people named in a cell, each once."""
    return list(dict.fromkeys(text(word, 64) for word in re.split(r"[,;/|\n、，；]+", cell) if word.strip()))


@lru_cache(maxsize=10_000)
def household_tags(cell: str) -> tuple[tuple[str, ...], int]:
    """The tags of a cell and the risk that follows from them."""
    try:
        found = tags.parse(unicodedata.normalize("NFKC", cell))
    except ValueError as error:
        raise CellError(tags.ALLOWED, str(error)) from error
    return found, tags.risk(found)


def risk(cell: str) -> int | None:
    """0 to 100; None when blank."""
    return _whole(cell, 100, RISK)


def size(cell: str) -> int | None:
    """How many people live in a home; None when blank."""
    return _whole(cell, 999, SIZE)


def _whole(cell: str, most: int, allowed: str) -> int | None:
    value = unicodedata.normalize("NFKC", cell).strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= most):
        raise CellError(allowed, value)
    return int(value)


def yes_no(cell: str) -> bool | None:
    """None when blank."""
    value = cell.strip().lower()
    if value in _YES:
        return True
    if value in _NO:
        return False
    if value:
        raise CellError(YES_NO, value)
    return None


def language(cell: str) -> str | None:
    """A language tag; None when blank."""
    value = cell.strip()
    if value and not _LANGUAGE.fullmatch(value):
        raise CellError(LANGUAGE, value)
    return value or None


def moment(cell: str, *, end: bool = False) -> datetime | None:
    """A day (Beijing time, its start; with `end` the start of the next day) or an ISO 8601 time; None when blank."""
    value = unicodedata.normalize("NFKC", cell).strip()
    if not value:
        return None
    try:
        if day := _DAY.fullmatch(value):
            year, month, number = map(int, day.groups())
            start = datetime(year, month, number, tzinfo=BEIJING)
            return (start + timedelta(days=1) if end else start).astimezone(UTC)
        exact = datetime.fromisoformat(value)
    except (ValueError, OverflowError) as error:
        raise CellError(DAY, value) from error
    return (exact if exact.tzinfo else exact.replace(tzinfo=BEIJING)).astimezone(UTC)
