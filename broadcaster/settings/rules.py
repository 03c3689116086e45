"""What one setting may be: each rule turns a raw value into the setting's, or says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from broadcaster.phrase import joined, ours, phrase

SECRET_NAME = re.compile(r"password|passwd|secret|token|credential|(^|_)key$|口令|密码", re.IGNORECASE)
"""Names whose values are never shown, whatever the rule says."""


class Secret(str):
    """A text that does its work wherever a text does, and does not show itself in reprs and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


class Rule:
    """How to read one setting. `allowed` completes the sentence "应为…"; `read` raises ValueError for all else."""

    def __init__(self, allowed: str, read: Callable[[object], object], *, secret: bool = False) -> None:
        self.allowed = allowed
        self.read = read
        self.secret = secret


def setting(rule: Rule, default: object = MISSING) -> Any:
    """A dataclass field that is read by `rule`; without `default` it must be given."""
    metadata = {"rule": rule}
    if default is MISSING:
        return field(metadata=metadata, repr=not rule.secret)
    return field(default=default, metadata=metadata, repr=not rule.secret)


def text(allowed: str = "一段文字", *, pattern: str = r".*\S.*", secret: bool = False) -> Rule:
    """Text that matches `pattern` as a whole."""
    shape = re.compile(pattern, re.DOTALL)

    def read(value: object) -> object:
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise ValueError(value)
        return Secret(value) if secret else value

    return Rule(allowed, read, secret=secret)


def integer(low: int, high: int) -> Rule:
    def read(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(value)
        return value

    return Rule(phrase("%(low)s 到 %(high)s 的整数", low=low, high=high), read)


def number(low: float, high: float, unit: str = "") -> Rule:
    """A finite number in [low, high]; integers are taken as well."""

    def read(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(value)
        return float(value)

    allowed = phrase("%(low)s 到 %(high)s 的数", low=f"{low:g}", high=f"{high:g}")
    return Rule(phrase("%(allowed)s（%(unit)s）", allowed=allowed, unit=ours(unit)) if unit else allowed, read)


def truth() -> Rule:
    def read(value: object) -> object:
        if not isinstance(value, bool):
            raise ValueError(value)
        return value

    return Rule("true 或 false", read)


def choice(*allowed: str) -> Rule:
    def read(value: object) -> object:
        if value not in allowed:
            raise ValueError(value)
        return value

    return Rule(phrase("%(allowed)s 之一", allowed=joined("、", allowed)), read)


def several(allowed: Sequence[str]) -> Rule:
    """A list without repetition of some of `allowed`."""

    def read(value: object) -> object:
        if not isinstance(value, list) or len(set(map(str, value))) != len(value) or not set(value) <= set(allowed):
            raise ValueError(value)
        return tuple(value)

    return Rule(phrase("由 %(allowed)s 组成、不重复的列表", allowed=joined("、", allowed)), read)


def addresses() -> Rule:
    """A list of IP addresses, each as programs write it."""

    def read(value: object) -> object:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(value)
        return tuple(str(ip_address(one)) for one in value)

    return Rule('IP 地址的列表，如 ["127.0.0.1"]', read)


def path() -> Rule:
    """A path; the reader has already made it absolute (relative paths start at the settings file's folder)."""

    def read(value: object) -> object:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError(value)
        return Path(value).expanduser()

    return Rule("一个路径（相对路径从设置文件所在目录算起）", read)


def paths() -> Rule:
    """A list of paths; the reader makes each absolute."""

    def read(value: object) -> object:
        if not isinstance(value, list):
            raise ValueError(value)
        one = path()
        return tuple(one.read(entry) for entry in value)

    return Rule("路径的列表", read)


def address(*schemes: str, allowed: str, words: tuple[str, ...] = (), secret: bool = False) -> Rule:
    """A URL with one of `schemes`, or one of `words`; trailing slashes are dropped."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(value)
        if value in words:
            return value
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path) or parts.port == 0:
            raise ValueError(value)
        shorn = value.rstrip("/")
        return Secret(shorn) if secret else shorn

    return Rule(allowed, read, secret=secret)
