"""What a gateway answers to messages, and what it sets going for each that it takes."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from broadcaster.ports import Medium
from broadcaster.rehearsal.evidence import Evidence
from broadcaster.rehearsal.fates import Fates, Traits, Weather
from broadcaster.rehearsal.logbook import JoinedRow, RefusedRow, TakenRow
from broadcaster.rehearsal.people import People
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.recordings import Verdict
from broadcaster.rehearsal.script import Behaviour
from channels.line.wire import ACCEPTED, DEFERRED, REJECTED, AnswerRow, SubmitRow

BUSY = "系统繁忙"
BUSY_FOR = 0.5
"""Seconds after which a busy gateway asks to be tried again."""

BAD_ADDRESS = "地址无效"
EXPIRED = "已过有效期"
FAR = time.time() + 10 * 365 * 86_400
"""The end of a message's validity where the protocol has none: Unix seconds."""

ODD_KEPT = 200_000
"""Attempts without our key whose weather was odd, and that are remembered to have better weather next time."""

PHONE = re.compile(r"\+?[0-9]{5,15}")
ADDRESSES = {
    Medium.SMS: PHONE,
    Medium.VOICE: PHONE,
    Medium.WECHAT: re.compile(r"[A-Za-z0-9_-]{6,64}|(wecom|group):[A-Za-z0-9_.@-]{1,64}"),
    Medium.EMAIL: re.compile(r"[^@\s]+@[^@\s]+"),
    Medium.LOUDSPEAKER: re.compile(r"\S{1,200}"),
}
"""What an address looks like; anything else is refused."""

PLATFORMS = {
    "official": re.compile(r"o[A-Za-z0-9_-]{27}"),
    "wecom": re.compile(r"wecom:(?!nobody)[a-z0-9][a-z0-9_.@-]{0,63}|group:[a-z0-9][a-z0-9_-]{0,39}"),
}
"""The same where a protocol has addresses of its own: of WeChat's platforms each knows its own people. Nobody's UserID
begins with nobody."""


class Batch(NamedTuple):
    """Messages as a front understood them. `rows` name their reading by its place in `readings`; alert 0: the protocol
    has no room for our key. `refs`: the gateway's ids of the rows. `parts`: in how many parts each came, 0 where no
    receipt is wanted; empty: one each. `waits`: seconds until each begins to play; empty: at once."""

    rows: Sequence[SubmitRow]
    refs: Sequence[str]
    readings: Sequence[Reading]
    parts: Sequence[int] = ()
    waits: Sequence[float] = ()


class Judged(NamedTuple):
    """Answers in the batch's order; what was taken, what of it came in parts, what was refused, for the logbook."""

    answers: list[AnswerRow]
    taken: list[TakenRow]
    joined: list[JoinedRow]
    refused: list[RefusedRow]


class Judge:
    """One account's gateway, message by message. This is the rehearsal's innermost loop."""

    def __init__(self, medium: Medium, protocol: str, evidence: Evidence, people: People, pace: float) -> None:
        self._proper = PLATFORMS.get(protocol, ADDRESSES[medium]).fullmatch
        self._evidence = evidence
        self._people = people
        self._pace = pace
        self._odd: dict[tuple[int, int], int] = {}

    def follow(self, behaviour: Behaviour, fates: Fates) -> None:
        """Behave like this from now on."""
        self._play = behaviour.play
        self._validity = behaviour.validity
        self._fates = fates

    def refusal(self, address: str) -> str:
        """Why nothing is taken for `address`, "" when something is."""
        fates = self._fates
        return fates.traits(fates.mark(address)).refusal or ("" if self._proper(address) else BAD_ADDRESS)

    def fate(self, alert: int, attempt: int, address: str) -> tuple[Traits, Weather, str]:
        """Who is behind `address`, what happens to this attempt, and why nothing is taken, "" when something is."""
        mark = self._fates.mark(address)
        traits = self._fates.traits(mark)
        refusal = traits.refusal or ("" if self._proper(address) else BAD_ADDRESS)
        return traits, self._fates.weather(mark, alert, attempt), refusal

    def judge(self, batch: Batch, verdicts: Mapping[str, Verdict], now: float) -> Judged:
        """Judge at the loop's time `now`; `verdicts` are the terminals' on the audio that was uploaded."""
        judged = Judged([], [], [], [])
        answer, take = judged.answers.append, judged.taken.append
        fates, proper = self._fates, self._proper
        put = self._evidence.put
        readings, refs, parts = batch.readings, batch.refs, batch.parts
        clock = time.time()
        for index, (alert, ordinal, attempt, address, place, urgency, expires) in enumerate(batch.rows):
            reading = readings[place]
            mark = fates.mark(address)
            traits = fates.traits(mark)
            refusal = traits.refusal or ("" if proper(address) else BAD_ADDRESS)
            if reading.audio and reading.audio not in verdicts:
                refusal = refusal or "音频文件没有上传"
            if self._validity and expires < clock:
                refusal = refusal or EXPIRED
            if refusal:
                answer((index, REJECTED, refusal, 0.0))
                judged.refused.append((alert, ordinal, attempt, address, refusal))
                continue
            weather = fates.weather(mark, alert, attempt) if alert else self._of_the_text(mark, reading.hash)
            if weather.busy:
                answer((index, DEFERRED, BUSY, BUSY_FOR))
                continue
            ref, many = refs[index], parts[index] if parts else 1
            answer((index, ACCEPTED, ref, 0.0))
            take((alert, ordinal, attempt, address, urgency, expires, reading.hash, ref))
            if many > 1:
                judged.joined.append((ref, many))
            moment, failure = now + weather.delay, traits.failure
            if reading.audio:
                verdict = verdicts[reading.audio]
                wait = batch.waits[index] if batch.waits else 0.0
                moment += (wait + verdict.seconds) * self._play * self._pace
                failure = failure or verdict.problem
            if not failure and (reading.asks or traits.resident_text):
                self._people.read(address, alert or reading.hash, reading, traits, moment)
            row = (ref, alert, ordinal, attempt, not failure, failure, address, many)
            if not many:
                continue
            if weather.plain:
                put(moment, row)
            else:
                self._evidence.put_odd(moment, row, weather, self._pace)
        return judged

    def _of_the_text(self, mark: int, text: int) -> Weather:
        """The weather of a message that names no key: by reader and text. Who tries again after odd weather has
        another."""
        weather = self._fates.weather(mark, text, self._odd.get((mark, text), 1))
        if not weather.plain:
            if len(self._odd) >= ODD_KEPT:
                self._odd.clear()
            self._odd[mark, text] = self._odd.get((mark, text), 1) + 1
        return weather
