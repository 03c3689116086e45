"""From a TOML file and the environment to one tree of raw values, each with the place it came from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broadcaster.errors import SettingsError
from broadcaster.settings.rules import Secret

PREFIX = "DAOHU__"

Key = tuple[str, ...]
"""A key's way from the root; a gateway is named by its position: ("gateways", "0", "rate")."""

_NAMED = {"gateways": "网关", "sources": "来源", "sensors": "接入"}
"""Tables that are lists of named entries."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"\s*([\w.\-\"' ]+?)\s*=")
_INLINE_SECRET = re.compile(r"\s*\{\s*(env|file)\s*=.*\}\s*", re.DOTALL)


class Raw(str):
    """A value from the environment: still a text, whatever the setting wants it to be."""

    __slots__ = ()


class Tree:
    """The raw values and where each came from. `folder` is where relative paths start."""

    def __init__(self, values: dict[str, Any], places: dict[Key, str], folder: Path) -> None:
        self.values = values
        self.folder = folder
        self._places = places

    def place(self, key: Key) -> str:
        """Where the value of `key`, or the table around it, was given; "" when nowhere."""
        while key:
            if key in self._places:
                return self._places[key]
            key = key[:-1]
        return ""

    def override(self, environment: Mapping[str, str]) -> list[str]:
        """Lay the environment's `DAOHU__SECTION__KEY` over the values; returns what is wrong with their names.

        A gateway, a source or a sensor entry is named by its position from 0 (DAOHU__GATEWAYS__0__RATE) or by its name
        in capitals, every other character than a letter or a digit written as _ (DAOHU__GATEWAYS__TOWN_SMS__RATE).
        """
        problems: list[str] = []
        for name in sorted(environment):
            if not name.startswith(PREFIX):
                continue
            key = tuple(part.lower() for part in name.removeprefix(PREFIX).split("__"))
            if len(key) > 1 and key[0] in _NAMED and (position := self._position(key[0], key[1])) is not None:
                key = (key[0], str(position), *key[2:])
            elif key[0] in _NAMED:
                word = _NAMED[key[0]]
                problems.append(f"环境变量 {name}：没有这个{word}。写{word}的序号（从 0 起）或名称的大写形式。")
                continue
            if not self._set(key, environment[name]):
                problems.append(f"环境变量 {name}：{'.'.join(key)} 不是一个可以设置的键。")
                continue
            self._places[key] = f"环境变量 {name}"
        return problems

    def _position(self, table: str, word: str) -> int | None:
        entries = self.values.get(table, [])
        if not isinstance(entries, list):
            return None
        if word.isdigit():
            return int(word) if int(word) < len(entries) else None
        names = [_capitals(str(entry.get("name", ""))) if isinstance(entry, dict) else "" for entry in entries]
        return names.index(_capitals(word)) if _capitals(word) in names else None

    def _set(self, key: Key, value: str) -> bool:
        place: Any = self.values
        for part in key[:-1]:
            if isinstance(place, list):
                place = place[int(part)]
            elif isinstance(place, dict):
                place = place.setdefault(part, {})
            else:
                return False
        if not isinstance(place, dict) or not all(key):
            return False
        place[key[-1]] = Raw(value)
        return True


def read_file(path: Path) -> Tree:
    """The file's values; `SettingsError` when it cannot be read or is not TOML."""
    try:
        content = path.read_text(encoding="utf-8")
        values = tomllib.loads(content)
    except OSError as error:
        raise SettingsError(
            f"读不到设置文件 {path}：{error.strerror}。", remedy="请用 --config 指明文件，或先运行 daohu init 生成。"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"设置文件 {path} 不是 UTF-8 编码。", remedy="请用 UTF-8 重新保存。") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"设置文件 {path} 不合 TOML 语法：{error}。", remedy="请改正该处后重试。") from error
    places = {key: f"{path.name}:{line}" for key, line in _lines_of(content).items()}
    return Tree(values, places, path.resolve().parent)


def bare(values: Mapping[str, Any], folder: Path) -> Tree:
    """A tree of values that no file holds."""
    return Tree(_copied(values), {}, folder)


def opened(value: object, folder: Path, environment: Mapping[str, str]) -> object:
    """`value`, or what it points to: `{ env = "NAME" }` or `{ file = "PATH" }`; `LookupError` says what is missing."""
    if isinstance(value, Raw) and _INLINE_SECRET.fullmatch(value):
        value = parsed(value)
    if not isinstance(value, dict) or len(value) != 1:
        return value
    (kind, name), *_ = value.items()
    if kind == "env" and isinstance(name, str):
        if not environment.get(name):
            raise LookupError(f"它指向的环境变量 {name} 没有设置")
        return Secret(environment[name])
    if kind == "file" and isinstance(name, str):
        place = folder / Path(name).expanduser()
        try:
            content = place.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise LookupError(f"它指向的文件 {place} 读不到（{error}）") from error
        if not content:
            raise LookupError(f"它指向的文件 {place} 是空的")
        return Secret(content)
    return value


def parsed(value: Raw) -> object:
    """An environment text as the TOML value that it spells, or as the plain text it is."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return str(value)


def _lines_of(content: str) -> dict[Key, int]:
    """The line of every table and key, by a scan that knows just enough TOML; it only serves error messages."""
    found: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    quote, depth = "", 0
    for line, words in enumerate(content.splitlines(), start=1):
        if not quote and not depth:
            if header := _HEADER.match(words):
                table = _split(header[2])
                if header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, str(counts[table]))
                found.setdefault(table, line)
                continue
            if assignment := _ASSIGNMENT.match(words):
                found.setdefault((*table, *_split(assignment[1])), line)
        quote, depth = _state_after(words, quote, depth)
    return found


def _state_after(words: str, quote: str, depth: int) -> tuple[str, int]:
    """Whether the next line is inside a multi-line text (its quote) or a list (its depth)."""
    for mark in re.finditer(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\[\]{}]|#', words):
        sign = mark[0]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in {'"""', "'''"}:
            quote = sign
        elif sign == "#":
            break
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth = max(0, depth - 1)
    return quote, depth


def _split(words: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in words.split("."))


def _capitals(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copied(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(entry) for entry in value]
    return value
