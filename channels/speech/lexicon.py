"""Words that speech engines misread, spelt in characters that sound the same and are never misread.

Characters are what every engine understands; phonetic markup each has its own. The built-in table is `lexicon.txt`,
which says the format; the operator's own file is laid over it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from broadcaster.errors import SettingsError
from channels.speech.synthesizer import canonical

WORDS_MAX = 20_000
BYTES_MAX = 4 << 20
_HANZI = "[\u3400-\u4dbf\u4e00-\u9fff]"
_LINE = re.compile(
    rf"(?P<word>{_HANZI}{{1,20}})\s*=\s*(?P<sound>{_HANZI}{{1,20}})(?:\s*[!！]\s*(?P<before>{_HANZI}+))?"
)
_SHAPE = "应为“词 = 读法”或“词 = 读法 ! 后字”，只写汉字"


@dataclass(frozen=True, slots=True)
class Entry:
    """How a word sounds; it is left alone where one of the characters `before` follows."""

    sound: str
    before: str = ""


@dataclass(frozen=True)
class Lexicon:
    """Words and how they are spelt for the voice; the longest word that begins at a place wins."""

    entries: Mapping[str, Entry]
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = sorted(self.entries, key=lambda word: (-len(word), word))
        branches = (
            word + (f"(?![{self.entries[word].before}])" if self.entries[word].before else "") for word in words
        )
        object.__setattr__(self, "_pattern", re.compile("|".join(branches)) if words else None)

    def spelt(self, text: str, language: str) -> str:
        """`text` as a Mandarin voice is to get it; the same text for any other language."""
        if self._pattern is None or canonical(language).partition("-")[0] != "zh":
            return text
        return self._pattern.sub(lambda match: self.entries[match[0]].sound, text)

    def over(self, other: Lexicon) -> Lexicon:
        """This lexicon laid over another."""
        return Lexicon({**other.entries, **self.entries})


def read_lexicon(path: Path, name: str, over: Lexicon | None = None) -> Lexicon:
    """The lexicon in a file, laid over another. `SettingsError`, which calls it `name`, names every wrong line."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise SettingsError(f"{name}：{path} 超过 {BYTES_MAX >> 20} MB。", remedy="读音表只写容易读错的词。")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(
            f"{name}：读不到 {path}（{error.strerror}）。", remedy="请检查路径和权限，或去掉这个设置。"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}：{path} 不是 UTF-8 编码。", remedy="请用 UTF-8 重新保存。") from error
    entries, problems = _parsed(content)
    if over is not None:
        entries = {**over.entries, **entries}
    lexicon = Lexicon(entries)
    problems += [
        f"“{word}”的读法“{entry.sound}”里又有要替换的词"
        for word, entry in entries.items()
        if entry.sound != word and lexicon.spelt(entry.sound, "zh") != entry.sound
    ]
    if problems:
        shown = "\n".join(f"  - {problem}" for problem in problems[:20])
        raise SettingsError(f"{name}：{path} 有 {len(problems)} 处问题：\n{shown}", remedy=f"{_SHAPE}。")
    return lexicon


def _parsed(content: str) -> tuple[dict[str, Entry], list[str]]:
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    for number, line in enumerate(content.splitlines(), start=1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        match = _LINE.fullmatch(written)
        if match is None:
            problems.append(f"第 {number} 行：{_SHAPE}")
        elif len(match["word"]) != len(match["sound"]):
            problems.append(f"第 {number} 行：“{match['word']}”和“{match['sound']}”字数不同")
        elif match["word"] in entries:
            problems.append(f"第 {number} 行：“{match['word']}”前面已经写过")
        elif len(entries) == WORDS_MAX:
            problems.append(f"第 {number} 行：超过 {WORDS_MAX} 条")
            break
        else:
            entries[match["word"]] = Entry(match["sound"], match["before"] or "")
    return entries, problems


BUILT_IN = read_lexicon(Path(__file__).with_name("lexicon.txt"), "内置读音表")
