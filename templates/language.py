"""What the renderer itself says in each language: colours, levels, verbs, times, and the marks of a rehearsal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from broadcaster.alerts.alert import Alert, Colour, MsgType, Status
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.kind import Kind
from broadcaster.clock import BEIJING

DEFAULT = "zh-CN"


@dataclass(frozen=True, slots=True)
class Mark:
    """What opens and closes every text of an alert that is not real; `opening` and `closing` are the spoken form."""

    written: str
    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class Language:
    """One language's fixed words. `levels` are the national warning levels that go with the colours."""

    tag: str
    colours: Mapping[Colour, str]
    levels: Mapping[Colour, str]
    verbs: Mapping[MsgType, str]
    exercise: Mark
    test: Mark
    joint: str
    unit: str

    def moment(self, time: datetime) -> str:
        """`time` in Beijing time: 11月23日21时30分, 21:30 on 23 Nov."""
        local = time.astimezone(BEIJING)
        if self.tag == "en":
            return f"{local:%H:%M} on {local.day} {_MONTHS[local.month - 1]}"
        return f"{local.month}月{local.day}日{local:%H}时{local:%M}分"

    def hazard(self, slug: str) -> str:
        """The hazard's name; "" where the hazard is not known."""
        if slug not in HAZARDS:
            return ""
        if self.tag == "en":
            return "Emergency" if slug == "generic" else slug.replace("_", " ").capitalize()
        return HAZARDS[slug].chinese

    def verb(self, alert: Alert) -> str:
        """What the issuer does with this alert: 发布, 更新 or 解除."""
        return self.verbs[MsgType.CANCEL if closes(alert) else alert.msg_type]

    def mark(self, status: Status) -> Mark | None:
        """The mark of a rehearsal; None for an actual alert."""
        if status is Status.ACTUAL:
            return None
        return self.exercise if status is Status.EXERCISE else self.test


def closes(alert: Alert) -> bool:
    """Whether the alert ends an earlier one: an all-clear, or a Cancel of any kind."""
    return alert.kind is Kind.ALL_CLEAR or alert.msg_type is MsgType.CANCEL


def language_of(tag: str) -> Language:
    """The language of an RFC 3066 tag, by its primary part; Chinese for any that we do not speak."""
    return LANGUAGES.get(tag.casefold().partition("-")[0], LANGUAGES["zh"])


def other_languages(tags: Iterable[str]) -> tuple[str, ...]:
    """Of the languages that an alert is written in those besides Chinese that we speak, each once."""
    known = dict.fromkeys(language_of(tag).tag for tag in tags)
    return tuple(tag for tag in known if tag != DEFAULT)


def same(one: str, other: str) -> bool:
    """Whether two tags name the same primary language: zh-CN and zh, en-US and en."""
    return one.casefold().partition("-")[0] == other.casefold().partition("-")[0]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

LANGUAGES: dict[str, Language] = {
    "zh": Language(
        tag=DEFAULT,
        colours={colour: f"{colour.chinese}色" for colour in Colour},
        levels=dict(zip(Colour, ("Ⅰ级/特别严重", "Ⅱ级/严重", "Ⅲ级/较重", "Ⅳ级/一般"), strict=True)),
        verbs=dict.fromkeys(MsgType, "发布") | {MsgType.UPDATE: "更新", MsgType.CANCEL: "解除"},
        exercise=Mark("【演练】", "现在是演练，现在是演练。", "这是演练，不是真实险情。"),
        test=Mark("【测试】", "现在是系统测试，现在是系统测试。", "这是系统测试，不是真实险情。"),
        joint="",
        unit="责任人",
    ),
    "en": Language(
        tag="en",
        colours={colour: colour.name for colour in Colour},
        levels=dict(zip(Colour, ("Level I", "Level II", "Level III", "Level IV"), strict=True)),
        verbs=dict.fromkeys(MsgType, "Issued") | {MsgType.UPDATE: "Updated", MsgType.CANCEL: "Lifted"},
        exercise=Mark("[DRILL]", "This is a drill. This is a drill. ", " This is a drill, not a real emergency."),
        test=Mark("[TEST]", "This is a system test. ", " This is a system test, not a real emergency."),
        joint=" ",
        unit="Officer on duty",
    ),
}
