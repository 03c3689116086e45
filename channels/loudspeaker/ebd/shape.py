"""How a value becomes elements and comes back: the fields of a dataclass are the children of its element, in order.

The standards give each element as a list of its children; a dataclass says the same, so one writer and one reader do
for all of them. Kinds of fields: text, moment, another such value, several of them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from xml.sax.saxutils import escape

from broadcaster.clock import BEIJING
from broadcaster.errors import InputError
from broadcaster.xml import Node
from channels.loudspeaker.ebd.profile import SECOND

Value = TypeVar("Value")

MOST = 20_000
"""Children of one name in an element: a county has some thousand terminals."""

LONGEST = 64 * 1024
"""Characters of one text."""

_UNSTORABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (2.2) has no place for."""


class MissingError(InputError):
    """An element that must be there is not, or is empty: 内容缺失."""


def tagged(name: str, *, needed: bool = False) -> Any:
    """A field that is the element `name`; `needed`: an element without it is refused, and it is always written."""
    metadata = {"name": name, "needed": needed}
    return dataclasses.field(metadata=metadata) if needed else dataclasses.field(default=None, metadata=metadata)


def listed(name: str) -> Any:
    """A field that is all elements `name`, in their order."""
    return dataclasses.field(default=(), metadata={"name": name, "needed": False})


@dataclass(frozen=True, slots=True)
class _Child:
    attribute: str
    name: str
    needed: bool
    kind: Any
    many: bool


_KNOWN: dict[type, tuple[_Child, ...]] = {}


def _children(shape: type) -> tuple[_Child, ...]:
    found = _KNOWN.get(shape)
    if found is None:
        found = _KNOWN[shape] = tuple(_of(shape))
    return found


def _of(shape: type) -> Iterator[_Child]:
    hints = get_type_hints(shape)
    for one in dataclasses.fields(shape):
        kind = hints[one.name]
        many = get_origin(kind) is tuple
        if many:
            kind = get_args(kind)[0]
        elif isinstance(kind, UnionType):
            kind = next(each for each in get_args(kind) if each is not type(None))
        yield _Child(one.name, one.metadata["name"], one.metadata["needed"], kind, many)


def write(name: str, value: object, renamed: Mapping[str, str]) -> str:
    """The element `name` that says `value`."""
    return f"<{name}>{''.join(_written(value, renamed))}</{name}>"


def _written(value: object, renamed: Mapping[str, str]) -> Iterator[str]:
    for child in _children(type(value)):
        given = getattr(value, child.attribute)
        name = renamed.get(child.name, child.name)
        for one in given or () if child.many else (given,):
            if one is None or one == "":
                if child.needed:
                    yield f"<{name}></{name}>"
            elif isinstance(one, datetime):
                yield f"<{name}>{one.astimezone(BEIJING).strftime(SECOND)}</{name}>"
            elif isinstance(one, str):
                yield f"<{name}>{escape(_UNSTORABLE.sub('', one))}</{name}>"
            else:
                yield write(name, one, renamed)


def read(node: Node, shape: type[Value], renamed: Mapping[str, str]) -> Value:
    """The value of `shape` that `node` says, in any order; `MissingError` or `InputError` with the element's name."""
    given: dict[str, object] = {}
    for child in _children(shape):
        nodes = list(node.every(child.name)) or list(node.every(renamed.get(child.name, child.name)))
        if child.many:
            if len(nodes) > MOST:
                raise InputError(f"{node.name} 里的 {child.name} 超过 {MOST} 个。")
            given[child.attribute] = tuple(_one(one, child, renamed) for one in nodes)
            continue
        if len(nodes) > 1:
            raise InputError(f"{node.name} 里的 {child.name} 出现了 {len(nodes)} 次。")
        said = _one(nodes[0], child, renamed) if nodes else None
        if child.needed and said in (None, ""):
            raise MissingError(f"{node.name} 缺少 {child.name}。")
        given[child.attribute] = None if said == "" else said
    return shape(**given)


def _one(node: Node, child: _Child, renamed: Mapping[str, str]) -> Any:
    if child.kind is str:
        return _text(node)
    if child.kind is datetime:
        return moment(_text(node), child.name)
    return read(node, child.kind, renamed)


def _text(node: Node) -> str:
    if node.children:
        raise InputError(f"{node.name} 里应为文字，不应有其他元素。")
    text = node.text
    if len(text) > LONGEST:
        raise InputError(f"{node.name} 超过 {LONGEST} 个字符。")
    return text


def moment(text: str, name: str) -> datetime | None:
    """Beijing's time as written, aware; None for ""; `InputError` for what is none."""
    if not text:
        return None
    try:
        return datetime.strptime(text, SECOND).replace(tzinfo=BEIJING)
    except ValueError as problem:
        raise InputError(f"{name} 不是时间。", remedy="应为 yyyy-MM-dd HH:mm:ss，北京时间。") from problem
