"""Strict decoding of a JSON form that names every field at fault, in words, instead of only the first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar, get_args

import msgspec

from broadcaster.errors import InputError
from broadcaster.phrase import joined, ours, phrase

Form = TypeVar("Form", bound=msgspec.Struct)

_TYPES = {
    "str": "文本",
    "int": "整数",
    "float": "数字",
    "bool": "真假值",
    "array": "列表",
    "object": "JSON 对象",
    "null": "空",
    "datetime": "时间",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?: of length (\d+))?(?:, got (?:`([^`]+)`|(\d+)))?$")
_LIMIT = re.compile(r"Expected `\w+` (>=|<=|>|<) (\S+)$")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_TIME = "应为带时区的时间，如 2026-07-01T08:00:00+08:00"


def convert(data: bytes, form: type[Form]) -> Form:
    """`data` as the form; `InputError` with one sentence per field at fault."""
    try:
        raw = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError("不是有效的 JSON：%(error)s。", remedy="请检查括号、引号和逗号。", error=error) from error
    except RecursionError as error:
        raise InputError("JSON 嵌套过深。", remedy="请减少嵌套。") from error
    refuse([*_control_characters(raw, ""), *_faults(raw, form, "")])
    return msgspec.convert(raw, form)


def refuse(faults: Sequence[str]) -> None:
    """Raise an `InputError` that names every fault; return when there are none."""
    if faults:
        raise InputError("%(faults)s。", remedy="请改正后重新提交。", faults=joined("；", faults))


def _control_characters(raw: Any, path: str) -> list[str]:
    """Texts with characters that neither XML nor the database can hold."""
    if isinstance(raw, str):
        return [at(path, "含有控制字符")] if _CONTROL.search(raw) else []
    if isinstance(raw, dict):
        found = [_control_characters(value, f"{path}.{key}".lstrip(".")) for key, value in raw.items()]
        return [*(fault for faults in found for fault in faults), *_control_characters("".join(raw), path)]
    if isinstance(raw, list):
        return [fault for place, value in enumerate(raw) for fault in _control_characters(value, f"{path}[{place}]")]
    return []


def _faults(raw: Any, form: type[msgspec.Struct], path: str) -> list[str]:
    """One sentence for each field of `raw` that the form would not take, those of nested forms included."""
    if not isinstance(raw, dict):
        return [at(path, phrase("应为 JSON 对象，得到%(got)s", got=ours(_name(raw))))]
    known = {field.encode_name: field for field in msgspec.structs.fields(form)}
    prefix = f"{path}." if path else ""
    unknown = phrase("没有这个字段，允许：%(known)s", known=joined("、", known))
    faults = [at(f"{prefix}{name[:40]}", unknown) for name in raw if name not in known]
    for name, field in known.items():
        if name not in raw:
            faults.extend([at(f"{prefix}{name}", "必须填写")] if field.required else [])
            continue
        item = next((arg for arg in get_args(field.type) if _is_form(arg)), None)
        if item is not None and isinstance(raw[name], list):
            for place, value in enumerate(raw[name]):
                faults.extend(_faults(value, item, f"{prefix}{name}[{place}]"))
            continue
        try:
            msgspec.convert(raw[name], field.type)
        except msgspec.ValidationError as error:
            faults.append(_sentence(str(error), f"{prefix}{name}", field.type))
    return faults


def _is_form(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _sentence(message: str, path: str, kind: Any) -> str:
    """msgspec's message in the user's words, with the full path."""
    text, _, inner = message.partition(" - at `$")
    return at(f"{path}{inner.rstrip('`')}", _words(text, kind))


def _words(text: str, kind: Any) -> str:
    if text.startswith("Invalid enum value"):
        given = text.removeprefix("Invalid enum value ")
        return phrase("%(given)s 不在允许的取值之内：%(choices)s", given=given, choices=joined("、", _choices(kind)))
    if "RFC3339" in text or "timezone" in text:
        return _TIME
    if match := _LIMIT.match(text):
        return phrase("应 %(relation)s %(limit)s", relation=match.group(1), limit=match.group(2))
    if match := _EXPECTED.match(text):
        return _expected(*match.groups())
    return text


def _expected(wanted: str, length: str | None, got: str | None, got_length: str | None) -> str:
    """What belongs there, and what was found instead."""
    names = joined("或", (_TYPES.get(word, word) for word in wanted.split(" | ")))
    expected = phrase("应为%(names)s（%(length)s 项）" if length else "应为%(names)s", names=names, length=length)
    if got:
        return phrase("%(expected)s，得到%(got)s", expected=expected, got=ours(_TYPES.get(got, got)))
    if got_length:
        return phrase("%(expected)s，得到 %(length)s 项", expected=expected, length=got_length)
    return expected


def at(path: str, fault: str) -> str:
    """A fault and where it is; "": in the whole of what was given."""
    return phrase("%(path)s：%(fault)s", path=path or ours("内容"), fault=ours(fault))


def _choices(kind: Any) -> list[str]:
    """The words of the enumeration within a field's type."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, StrEnum):
            return list(candidate)
    return []


def _name(raw: Any) -> str:
    kinds = {str: "文本", bool: "真假值", int: "整数", float: "数字", list: "列表", type(None): "空"}
    return kinds.get(type(raw), type(raw).__name__)
