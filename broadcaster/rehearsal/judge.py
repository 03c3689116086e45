"""What a gateway answers to a frame of messages, and what it sets going for each that it takes."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from broadcaster.ports import Medium
from broadcaster.rehearsal.evidence import Evidence
from broadcaster.rehearsal.fates import Fates
from broadcaster.rehearsal.logbook import RefusedRow, TakenRow
from broadcaster.rehearsal.people import People
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.recordings import Verdict
from broadcaster.rehearsal.script import Behaviour
from channels.line.wire import ACCEPTED, DEFERRED, REJECTED, AnswerRow, SubmitRow

BUSY_FOR = 0.5
"""Seconds after which a busy gateway asks to be tried again."""

PHONE = re.compile(r"\+?[0-9]{5,15}")
ADDRESSES = {
    Medium.SMS: PHONE,
    Medium.VOICE: PHONE,
    Medium.WECHAT: re.compile(r"[A-Za-z0-9_-]{6,64}"),
    Medium.EMAIL: re.compile(r"[^@\s]+@[^@\s]+"),
    Medium.LOUDSPEAKER: re.compile(r"\S{1,200}"),
}
"""What an address looks like; anything else is refused."""


class Judged(NamedTuple):
    """Answers in the frame's order; what was taken and what was refused, for the logbook; how many were put off."""

    answers: list[AnswerRow]
    taken: list[TakenRow]
    refused: list[RefusedRow]


class Judge:
    """One account's gateway, message by message. This is the rehearsal's innermost loop."""

    def __init__(self, medium: Medium, prefix: str, evidence: Evidence, people: People, pace: float) -> None:
        self._proper = ADDRESSES[medium].fullmatch
        self._prefix = prefix
        self._evidence = evidence
        self._people = people
        self._pace = pace
        self._next_message = 1

    def follow(self, behaviour: Behaviour, fates: Fates) -> None:
        """Behave like this from now on."""
        self._play = behaviour.play
        self._validity = behaviour.validity
        self._fates = fates

    def judge(
        self, rows: Sequence[SubmitRow], readings: Sequence[Reading], verdicts: Mapping[str, Verdict], now: float
    ) -> Judged:
        """Judge `rows` at the loop's time `now`; `verdicts` are the terminals' on the audio that was uploaded."""
        judged = Judged([], [], [])
        answer, take = judged.answers.append, judged.taken.append
        fates, proper, prefix = self._fates, self._proper, self._prefix
        put = self._evidence.put
        number = self._next_message
        clock = time.time()
        for index, (alert, ordinal, attempt, address, place, urgency, expires) in enumerate(rows):
            reading = readings[place]
            mark = fates.mark(address)
            traits = fates.traits(mark)
            refusal = traits.refusal or ("" if proper(address) else "地址无效")
            if reading.audio and reading.audio not in verdicts:
                refusal = refusal or "音频文件没有上传"
            if self._validity and expires < clock:
                refusal = refusal or "已过有效期"
            if refusal:
                answer((index, REJECTED, refusal, 0.0))
                judged.refused.append((alert, ordinal, attempt, address, refusal))
                continue
            weather = fates.weather(mark, alert, attempt)
            if weather.busy:
                answer((index, DEFERRED, "系统繁忙", BUSY_FOR))
                continue
            ref = f"{prefix}{number}"
            number += 1
            answer((index, ACCEPTED, ref, 0.0))
            take((alert, ordinal, attempt, address, urgency, expires, reading.hash, ref))
            moment, failure = now + weather.delay, traits.failure
            if reading.audio:
                verdict = verdicts[reading.audio]
                moment += verdict.seconds * self._play * self._pace
                failure = failure or verdict.problem
            if not failure and (reading.asks or traits.resident_text):
                self._people.read(address, alert, reading, traits, moment)
            row = (ref, alert, ordinal, attempt, not failure, failure)
            if weather.plain:
                put(moment, row)
            else:
                self._evidence.put_odd(moment, row, weather, self._pace)
        self._next_message = number
        return judged
