"""The options of drivers, sources, instruments and engines: read strictly, every fault told in words.

A fault says which option it is, what was given and what is wanted. What is wanted comes from the option's own type;
where that is a pattern, from the description beside it. What was given for a secret is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from broadcaster.errors import SettingsError
from broadcaster.phrase import joined, ours, phrase

Options = TypeVar("Options", bound=msgspec.Struct)

_LONGEST = 60  # characters of a text that is repeated
_SECRET = frozenset({"password", "secret", "token"})
_KEYS = frozenset({"key", "keys", "groups"})
"""Words in the names of options whose texts are secrets; their numbers are none."""


def read(given: Mapping[str, object], shape: type[Options], whose: str, needed: str = "") -> Options:
    """The options as `shape` has them. `SettingsError` names each that is wrong, what is allowed and what is `needed`;
    `whose`: as errors call the entry that they stand in."""
    raw = dict(given)
    try:
        return msgspec.convert(raw, shape, strict=False)
    except msgspec.ValidationError as problem:
        raise SettingsError(
            "%(whose)s：%(faults)s。",
            remedy="可用的键：%(known)s；%(needed)s 必填。" if needed else "可用的键：%(known)s。",
            whose=ours(whose),
            faults=joined("；", faults(raw, shape)),
            known=joined("、", shape.__struct_fields__),
            needed=joined("、", needed.split("、")),
        ) from problem


def faults(raw: Any, kind: Any, path: str = "") -> list[str]:
    """One sentence for each thing of `raw` that `kind` would not take."""
    try:
        msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as problem:
        return list(_inside(raw, _bare(kind)[0], path)) or [_own(problem) or _wrong(path, raw, kind)]
    return []


def _inside(raw: Any, kind: Any, path: str) -> Iterator[str]:
    origin, parts = get_origin(kind), get_args(kind)
    if isinstance(raw, Mapping) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _fields(raw, kind, f"{path}." if path else "")
    elif isinstance(raw, Mapping) and len(parts) == 2 and isinstance(origin, type) and issubclass(origin, Mapping):
        for key, value in raw.items():
            if faults(key, parts[0], ""):
                yield phrase(
                    "%(option)s 的键 %(given)s 不对，应为：%(wanted)s",
                    option=path,
                    given=_given(key),
                    wanted=_wanted(parts[0]),
                )
            yield from faults(value, parts[1], f"{path}.{key}")
    elif isinstance(raw, list | tuple) and parts and origin in (list, tuple, set, frozenset):
        for place, value in enumerate(raw):
            yield from faults(value, parts[0], f"{path}[{place}]")


def _fields(raw: Mapping[str, Any], shape: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    known = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    if shape.__struct_config__.forbid_unknown_fields:
        for name in raw:
            if name not in known:
                yield phrase("没有名为 %(option)s 的键", option=f"{prefix}{name[:_LONGEST]}")
    for name, field in known.items():
        if name in raw:
            yield from faults(raw[name], field.type, f"{prefix}{name}")
        elif field.required:
            yield phrase("缺少 %(option)s，应为：%(wanted)s", option=f"{prefix}{name}", wanted=_wanted(field.type))


def _own(problem: msgspec.ValidationError) -> str:
    """What a shape says itself of options that do not go together, or "": it raises ValueError with a sentence."""
    cause = problem.__cause__
    return ours(cause.args[0]) if isinstance(cause, ValueError) and cause.args else ""


def _wrong(path: str, raw: Any, kind: Any) -> str:
    wanted = _wanted(kind)
    if _bare(kind)[0] is str and isinstance(raw, int | float):
        wanted = phrase("%(what)s（要加引号）", what=wanted)
    option = path or ours("内容")
    if _is_secret(path, raw):
        return phrase("%(option)s 不对（内容不显示），应为：%(wanted)s", option=option, wanted=wanted)
    return phrase("%(option)s 现为 %(given)s，应为：%(wanted)s", option=option, given=_given(raw), wanted=wanted)


def _is_secret(path: str, raw: Any) -> bool:
    words = set(re.split(r"[._\[\]]+", path.casefold()))
    return bool(words & _SECRET) or (bool(words & _KEYS) and not isinstance(raw, int | float))


def _given(raw: Any) -> str:
    match raw:
        case bool():
            return str(raw).lower()
        case str():
            return f"“{raw[:_LONGEST]}{'…' if len(raw) > _LONGEST else ''}”"
        case Mapping():
            return ours("表" if raw else "空的表")
        case list() | tuple():
            return ours("列表" if raw else "空的列表")
    return str(raw)[:_LONGEST]


def _bare(kind: Any) -> tuple[Any, list[msgspec.Meta]]:
    """A type without what is said about it, and without None; and what is said."""
    if get_origin(kind) is Annotated:
        inner, metas = _bare(get_args(kind)[0])
        return inner, [*metas, *(one for one in get_args(kind)[1:] if isinstance(one, msgspec.Meta))]
    if get_origin(kind) in (Union, UnionType):
        real = [one for one in get_args(kind) if one is not NoneType]
        if len(real) == 1:
            return _bare(real[0])
    return kind, []


def _wanted(kind: Any) -> str:
    """What an option of this type has to be."""
    bare, metas = _bare(kind)
    described = next((meta for meta in reversed(metas) if meta.description), None)
    if described is not None:
        return _sized(ours(described.description or ""), _limits([meta for meta in metas if meta is not described]))
    return _composed(bare) or _plain(bare, metas)


def _composed(kind: Any) -> str:
    """What is wanted of a choice, a list or a table; "" for a single value."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _one_of(parts)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _one_of([one.value for one in kind])
    if origin in (Union, UnionType):
        return joined("或", [_wanted(part) for part in parts if part is not NoneType])
    if origin in (list, tuple, set, frozenset) and parts:
        return phrase("列表，每一项应为：%(item)s", item=_wanted(parts[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(parts) == 2:
        return phrase("表，每个值应为：%(item)s", item=_wanted(parts[1]))
    return ""


def _one_of(choices: Sequence[object]) -> str:
    return phrase("以下之一：%(choices)s", choices=joined("、", [str(one) for one in choices]))


def _plain(kind: Any, metas: Sequence[msgspec.Meta]) -> str:
    if kind is bool:
        return ours("true 或 false")
    if kind is int or kind is float:
        return _number(kind, _limits(metas))
    return _text(metas) if kind is str else ours("表")


def _limits(metas: Sequence[msgspec.Meta]) -> dict[str, Any]:
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    return {name: value for meta in metas for name in names if (value := getattr(meta, name)) is not None}


def _number(kind: type, limits: Mapping[str, Any]) -> str:
    match limits:
        case {"ge": low, "le": high} if kind is int:
            return phrase("%(low)s 到 %(high)s 的整数", low=low, high=high)
        case {"ge": low, "le": high}:
            return phrase("%(low)s 到 %(high)s 的数字", low=low, high=high)
        case {"gt": low, "le": high}:
            return phrase("大于 %(low)s、不超过 %(high)s 的数字", low=low, high=high)
        case {"ge": low} if kind is int:
            return phrase("不小于 %(low)s 的整数", low=low)
    return ours("整数" if kind is int else "数字")


def _sized(what: str, limits: Mapping[str, Any]) -> str:
    """What is described, in the length that is said apart from its description."""
    match limits:
        case {"min_length": low, "max_length": high}:
            return phrase("%(what)s，%(low)s 到 %(high)s 个", what=what, low=low, high=high)
        case {"max_length": high}:
            return phrase("%(what)s，至多 %(high)s 个", what=what, high=high)
    return what


def _text(metas: Sequence[msgspec.Meta]) -> str:
    pattern = next((meta.pattern for meta in metas if meta.pattern), None)
    if pattern:
        return phrase("形如 %(pattern)s 的文本", pattern=pattern)
    match _limits(metas):
        case {"min_length": low, "max_length": high}:
            return phrase("%(low)s 到 %(high)s 个字符的文本", low=low, high=high)
        case {"min_length": 1}:
            return ours("不为空的文本")
        case {"min_length": low}:
            return phrase("至少 %(low)s 个字符的文本", low=low)
        case {"max_length": high}:
            return phrase("至多 %(high)s 个字符的文本", high=high)
    return ours("文本")
