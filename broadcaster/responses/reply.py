"""Understanding a reply: pure, conservative, and never failing.

It acknowledges only when the whole of it is an acknowledgement; what asks, negates or speaks of something else does
not. A cry for help is heard wherever it stands, and wins.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from broadcaster.responses.canonical import Canonical, canonical
from broadcaster.responses.words import (
    HELP,
    HELP_LATIN,
    LONGEST_WORD,
    NEVER_IN_A_NAME,
    PLACES_AND_TITLES,
    TURNED_ROUND,
    TURNED_ROUND_LATIN,
    UNHEARD,
    VOCABULARY,
    Word,
)

LONGEST_ACKNOWLEDGEMENT = 120
"""Characters, decoration aside; whoever writes more than this says something that somebody should read."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """I have it. `code` names the alert ("": it does not say which); `moved` is how many people it says were moved."""

    code: str = ""
    moved: int | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """Somebody needs help; `text` as written. It does not confirm anything else that the reply may say."""

    code: str = ""
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Nothing that may count: shown to people, never acted upon."""


Understanding = Acknowledge | Help | NotUnderstood


def understand(text: str, *, keypad: bool = False, help_keys: Collection[str] = ()) -> Understanding:
    """What `text` says; `keypad`: it is keys pressed during a call, where 1 confirms and 9 asks for help.

    `help_keys` are the digits that a written message offered for help. Codes have two to four digits from 2 to 9, as
    `alerts.reply_codes` gives them. Never raises.
    """
    form = canonical(text)
    if keypad:
        return _pressed(form.compact, text)
    if _cries_for_help(form) or _presses(form, help_keys):
        return Help(_lone_code(form.spaced, help_keys), text)
    if form.doubtful or not 0 < len(form.compact) <= LONGEST_ACKNOWLEDGEMENT:
        return NotUnderstood()
    return _acknowledgement(form.compact) or NotUnderstood()


def _pressed(keys: str, text: str) -> Understanding:
    match keys:
        case "1":
            return Acknowledge()
        case "9":
            return Help(text=text)
    return NotUnderstood()


_ANY_HELP = re.compile(
    rf"(?:{'|'.join(UNHEARD)})"
    rf"|(?P<turned>(?:{'|'.join(TURNED_ROUND)})(?:再|要|人|人员|人被|群众|进行|发|发出)*)?(?:{'|'.join(HELP)})"
    rf"|(?P<turned_latin>(?<![a-z])(?:{'|'.join(TURNED_ROUND_LATIN)})(?: need| any)* ?)?"
    rf"(?<![a-z])(?:{'|'.join(HELP_LATIN)})(?![a-z])"
)


def _cries_for_help(form: Canonical) -> bool:
    """In `spaced` nothing is turned round across a full stop; in `compact` a word that was pulled apart is found."""
    return any(_unturned(found) for found in _ANY_HELP.finditer(form.spaced)) or (
        form.compact != form.spaced
        and not _ANY_HELP.search(form.spaced)
        and any(_unturned(found) for found in _ANY_HELP.finditer(form.compact))
    )


def _unturned(found: re.Match[str]) -> bool:
    return found["turned"] is None and found["turned_latin"] is None


_CODE = re.compile(r"[2-9]{2,4}")
_RUN_TOGETHER = re.compile("1[2-9]{2}")  # a longer one may be a telephone number: 12345, 1234
_DIGITS = re.compile(r"\d+", re.ASCII)


def _presses(form: Canonical, help_keys: Collection[str]) -> bool:
    parts = form.compact.split(" ")
    return (
        not form.doubtful
        and any(part in help_keys for part in parts)
        and all(part in help_keys or part == "1" or _CODE.fullmatch(part) for part in parts)
    )


def _lone_code(spaced: str, help_keys: Collection[str]) -> str:
    """The one number of a cry for help that may be a code ("求助 27"); its other numbers are floors and ages."""
    numbers: set[str] = {number for number in _DIGITS.findall(spaced) if number not in help_keys and number != "1"}
    if len(numbers) == 1 and _CODE.fullmatch(number := numbers.pop()) and not re.search(rf"{number}[^\d\s]", spaced):
        return number
    return ""


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as written: `digits` of figures, or Chinese numerals."""

    digits: str
    chinese: bool


_NAME = re.compile(rf"(?P<name>[\u4e00-\u9fff0-9]{{1,10}}(?:{PLACES_AND_TITLES}))(?=(?:均|都)?(?:已|已经)?收到)")
_NUMERALS = re.compile("[零〇一二两三四五六七八九十百千万]+")


def _acknowledgement(compact: str) -> Acknowledge | None:
    named = _NAME.match(compact)
    if named and not any(word in named["name"] for word in NEVER_IN_A_NAME):
        compact = compact[named.end() :]
    words = list(_words(compact))
    if not words or None in words:
        return None
    return _judge([word for word in words if word is not None])


def _words(compact: str) -> Iterator[Word | _Number | None]:
    """The words of a reply, the longest first; one None, the last, where something stands that is no word of ours."""
    place = 0
    while place < len(compact):
        if compact[place] == " ":
            place += 1
            continue
        if digits := _DIGITS.match(compact, place):
            yield _Number(digits.group(), chinese=False)
            place = digits.end()
            continue
        for length in range(min(LONGEST_WORD, len(compact) - place), 0, -1):
            word = VOCABULARY.get(compact[place : place + length])
            if word is not None:
                yield word
                place += length
                break
        else:
            numerals = _NUMERALS.match(compact, place)
            if numerals is None:
                yield None
                return
            yield _Number(numerals.group(), chinese=True)
            place = numerals.end()


def _judge(words: list[Word | _Number]) -> Acknowledge | None:
    """Weigh a reply that consists of known words and numbers only."""
    bare: list[_Number] = []
    quantities = 0
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else None
        if isinstance(word, _Number):
            if following in (Word.PEOPLE, Word.HOMES):
                quantities += 1
            else:
                bare.append(word)
        elif word in (Word.PEOPLE, Word.HOMES) and not (place and isinstance(words[place - 1], _Number)):
            return None
    deeds = [word for word in words if word in (Word.MOVE, Word.DEED)]
    if quantities and not deeds:
        return None
    reports = bool(deeds) and (quantities > 0 or Word.DONE in words or Word.NOW in words)
    acknowledged = Word.ACKNOWLEDGE in words or reports
    pressed, code, readable = _keys(bare, alone=len(bare) == len(words))
    if not readable or not (acknowledged or pressed):
        return None
    return Acknowledge(code, _moved(words))


def _keys(bare: list[_Number], *, alone: bool) -> tuple[bool, str, bool]:
    """Whether the key 1 was pressed, the code beside it, and whether the bare numbers can mean that at all."""
    pressed, codes = 0, []
    for number in bare:
        if number.digits == "1" or (alone and number.chinese and number.digits == "一"):
            pressed += 1
        elif not number.chinese and _CODE.fullmatch(number.digits):
            codes.append(number.digits)
        elif alone and len(bare) == 1 and _RUN_TOGETHER.fullmatch(number.digits):
            pressed += 1
            codes.append(number.digits[1:])
        else:
            return False, "", False
    return pressed == 1, codes[0] if codes else "", pressed <= 1 and len(codes) <= 1


def _moved(words: list[Word | _Number]) -> int | None:
    """The largest number of people that were moved, as far as the reply does not say that it is only being done."""
    moved: list[int] = []
    deeds = [(place, word) for place, word in enumerate(words) if word in (Word.MOVE, Word.DEED)]
    for place, number in enumerate(words):
        if not isinstance(number, _Number) or place + 1 == len(words) or words[place + 1] is not Word.PEOPLE:
            continue
        before = [word for at, word in deeds if at < place]
        deed = before[-1] if before else deeds[0][1]
        if deed is Word.MOVE and not _under_way(words, place):
            moved.append(_value(number))
    return max(moved, default=None)


def _under_way(words: list[Word | _Number], place: int) -> bool:
    aspects = [word for word in words[:place] if word in (Word.DONE, Word.NOW)]
    return bool(aspects) and aspects[-1] is Word.NOW and Word.DONE not in words[place:]


_CHINESE_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_MOST_MOVED = 10_000_000


def _value(number: _Number) -> int:
    """What a number says, at most ten million."""
    if not number.chinese:
        return min(int(number.digits[:9]), _MOST_MOVED)
    total = section = digit = 0
    for character in number.digits:
        if character in _CHINESE_DIGITS:
            digit = digit * 10 + _CHINESE_DIGITS[character]  # 二三〇 is read figure by figure
        elif character in _CHINESE_UNITS:
            section += (digit or 1) * _CHINESE_UNITS[character]
            digit = 0
        else:
            total = (total + section + digit) * 10_000
            section = digit = 0
    return min(total + section + digit, _MOST_MOVED)
