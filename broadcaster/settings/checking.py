"""From the raw tree to values: every key against its rule, every problem in one report."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from broadcaster.phrase import ours, phrase
from broadcaster.settings.reading import Key, Raw, Tree, opened, parsed
from broadcaster.settings.rules import SECRET_NAME, Rule, Secret

Shape = TypeVar("Shape")


class Checker:
    """Reads sections out of a tree and gathers what is wrong with them, in the words of the person who wrote them."""

    def __init__(self, tree: Tree, environment: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._tree = tree
        self._environment = environment

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self._tree.folder

    def place(self, key: Key) -> str:
        """Where `key` was given; "" when nowhere."""
        return self._tree.place(key)

    def refuse(self, key: Key, what: str) -> None:
        place = self.place(key)
        self.problems.append(f"{self.name(key)}：{what}{place and f'（{place}）'}")

    def name(self, key: Key) -> str:
        """`web.port`, or `gateways[town-sms].rate`."""
        if key[0] in ("gateways", "sources", "sensors") and len(key) > 1:
            return ".".join([f"{key[0]}[{key[1]}]", *key[2:]])
        return ".".join(key)

    def table(self, key: Key) -> dict[str, Any]:
        """The table at `key`; an empty one when there is none, or when something else is there (a problem)."""
        found: Any = self._tree.values
        for part in key:
            found = found[int(part)] if isinstance(found, list) else found.get(part, {})
        if isinstance(found, dict):
            return found
        self.refuse(key, "应为一个表（[…]）")
        return {}

    def known(self, key: Key, allowed: Iterable[str], elsewhere: Mapping[str, str]) -> None:
        """Refuse other keys than `allowed` in the table at `key`, with the nearest known one as a suggestion."""
        names = list(allowed)
        for unknown in self.table(key):
            if unknown in names:
                continue
            near = difflib.get_close_matches(unknown, names, n=1, cutoff=0.6)
            if near:
                hint = f"是不是 {'.'.join([*key, near[0]])}？"
            elif unknown in elsewhere:
                hint = f"是不是 {elsewhere[unknown]}？"
            else:
                hint = f"可用的有：{'、'.join(names)}。"
            self.refuse((*key, unknown), f"没有这个设置，{hint}")

    def section(self, shape: type[Shape], key: Key) -> dict[str, Any]:
        """The values for the fields of `shape` that are given and right; what is wrong becomes a problem."""
        table = self.table(key)
        read: dict[str, Any] = {}
        for field in fields(shape):  # type: ignore[arg-type]
            if "rule" not in field.metadata:
                continue
            if field.name not in table:
                if field.default is MISSING and field.default_factory is MISSING:
                    rule: Rule = field.metadata["rule"]
                    self.refuse((*key, field.name), phrase("缺少这个设置，应为%(allowed)s", allowed=ours(rule.allowed)))
                continue
            done, value = self.value((*key, field.name), table[field.name], field.metadata["rule"])
            if done:
                read[field.name] = value
        return read

    def value(self, key: Key, raw: object, rule: Rule) -> tuple[bool, Any]:
        """Whether `raw` follows `rule`, and what it means."""
        try:
            given = opened(raw, self._tree.folder, self._environment)
        except LookupError as error:
            self.refuse(key, error.args[0])
            return False, None
        for attempt in _readings(given):
            try:
                meant = rule.read(attempt)
            except (ValueError, TypeError):
                continue
            if isinstance(meant, Path):
                meant = self._tree.folder / meant
            if isinstance(meant, tuple):
                meant = tuple(self._tree.folder / one if isinstance(one, Path) else one for one in meant)
            if isinstance(given, Secret) and isinstance(meant, str):
                meant = Secret(meant)
            return True, meant
        expected = phrase("应为%(allowed)s", allowed=ours(rule.allowed))
        words = self._shown(key, given, rule)
        self.refuse(
            key, phrase("%(expected)s，而不是 %(given)s", expected=expected, given=words) if words else expected
        )
        return False, None

    def free(self, key: Key, raw: object) -> object:
        """A value that only its driver understands: pointers followed, secrets hidden."""
        try:
            given = opened(raw, self._tree.folder, self._environment)
        except LookupError as error:
            self.refuse(key, error.args[0])
            return ""
        if isinstance(given, Raw):
            given = parsed(given)
        if isinstance(given, dict):
            return {name: self.free((*key, name), value) for name, value in given.items()}
        return Secret(given) if isinstance(given, str) and SECRET_NAME.search(key[-1]) else given

    def rows(self, key: Key, read: Callable[[Key, object], Any]) -> tuple[Any, ...] | None:
        """The entries of the list at `key`, each by `read`; None when there is no such list."""
        *way, last = key
        found = self.table(tuple(way)).get(last)
        if isinstance(found, Raw):
            found = parsed(found)
        if found is None:
            return None
        if not isinstance(found, list):
            self.refuse(key, "应为一个列表")
            return None
        return tuple(read((*key, str(place)), entry) for place, entry in enumerate(found))

    def _shown(self, key: Key, given: object, rule: Rule) -> str:
        if rule.secret or isinstance(given, Secret) or SECRET_NAME.search(key[-1]):
            return ""
        return (str(given) if isinstance(given, Raw) else repr(given))[:80]


def _readings(given: object) -> Iterable[object]:
    """What `given` may mean: an environment text may be a number or a list as well as a text."""
    if isinstance(given, Raw):
        spelled = parsed(given)
        if not isinstance(spelled, str):
            yield spelled
        yield str(given)
    else:
        yield given
