"""CMPP's octets, both versions: commands, fields, codes (中国移动通信互联网短信网关接口协议 2.0 and 3.0).

A frame is length, command, sequence (four octets each, big-endian), then the body. Texts are filled up with zeros.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from channels.sms.parts import Part, piece
from channels.sms.session.events import (
    Alive,
    Answered,
    Asked,
    Event,
    Farewell,
    Reported,
    Said,
    SignedIn,
    WireError,
)
from channels.sms.session.numbers import national
from channels.sms.session.octets import ANSWER, authenticator, cut, stamp, validity, word
from channels.sms.session.results import Results

ZEROS = 9
"""Between user and secret, where the secret is proved."""


class Command(IntEnum):
    """Command_Id; an answer's has the highest bit set."""

    CONNECT = 1
    TERMINATE = 2
    SUBMIT = 4
    DELIVER = 5
    ACTIVE_TEST = 8


SUBMIT, STORED = int(Command.SUBMIT), ANSWER | Command.DELIVER
"""As they are written: plain numbers, for what is written once per message."""

VERSION_2 = 0x20
VERSION_3 = 0x30

REFUSED_SIGN_IN = {1: "消息结构错", 2: "非法源地址", 3: "认证错", 4: "版本太高"}
RESULTS = Results(
    words={
        1: "消息结构错",
        2: "命令字错",
        3: "消息序号重复",
        4: "消息长度错",
        5: "资费代码错",
        6: "超过最大信息长",
        7: "业务代码错",
        8: "流量控制",
        9: "本网关不负责服务此计费号码",
        10: "Src_Id 错误",
        11: "Msg_src 错误",
        12: "Fee_terminal_Id 错误",
        13: "Dest_terminal_Id 错误",
    },
    throttled=frozenset({8}),
    unfit=frozenset({2, 5, 7, 9, 10, 11, 12}),
)

HEADER = struct.Struct(">III")
CONNECT = struct.Struct(">6s16sBI")
SUBMIT_2 = struct.Struct(">III 8xBBBB10sB21sBBB6s2s6s17s17x21sB21sB")
SUBMIT_3 = struct.Struct(">III 8xBBBB10sB32sBBBB6s2s6s17s17x21sB32sBB")
"""A SUBMIT from its beginning to its content."""

DELIVER_2 = struct.Struct(">8s21s10sBBB21sBB")
DELIVER_3 = struct.Struct(">8s21s10sBBB32sBBB")
REPORT = struct.Struct(">8s7s")
STORED_2 = struct.Struct(">III 8sx")
STORED_3 = struct.Struct(">III 8s4x")
"""A DELIVER_RESP with result 0."""

CONNECT_ANSWER = 16 + 1
"""Octets of a CONNECT_RESP's body behind the status, which has one, in 3.0 four: proof, version."""

TAIL_2, TAIL_3 = bytes(8), bytes(20)

LONGEST = 4096
"""Octets of a frame; the longest that the protocol knows (a 3.0 DELIVER) has 12 + 97 + 255 + 20."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the carrier has agreed with us: `user` (企业代码, 6 characters) signs in, `source` (接入号) is the number
    that people see, `service` the service code, `fee_type` and `fee_code` the tariff."""

    user: str
    password: str
    version: int
    source: str
    service: str
    fee_user: int
    fee_type: str
    fee_code: str


def ref(number: bytes) -> str:
    """A Msg_Id as text."""
    return number.hex()


class Cmpp:
    """The dialect, for one account."""

    shortest, longest = HEADER.size, LONGEST

    def __init__(self, account: Account, busy: Iterable[int] = ()) -> None:
        self._account = account
        self._results = RESULTS.also_throttled(busy)
        self._third = account.version >= VERSION_3
        texts = (account.service, account.fee_type, account.fee_code, account.source, account.user)
        self._service, self._fee_type, self._fee_code, self._source, self._user = (text.encode() for text in texts)
        self._valid_for: datetime | None = None
        self._valid = b""

    def sign_in(self, sequence: int, now: datetime) -> bytes:
        account = self._account
        moment = stamp(now)
        proof = authenticator(account.user, ZEROS, account.password, moment)
        return _frame(Command.CONNECT, sequence, CONNECT.pack(self._user, proof, account.version, int(moment)))

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes:
        content, coding, total, number = part
        account, level = self._account, 3 - urgency
        headed = int(total > 1)
        if expires is not self._valid_for:
            self._valid_for, self._valid = expires, validity(expires)
        if self._third:
            head = SUBMIT_3.pack(
                SUBMIT_3.size + len(content) + len(TAIL_3), SUBMIT, sequence,
                total, number, 1, level, self._service, account.fee_user, b"", 0, 0, headed, coding, self._user,
                self._fee_type, self._fee_code, self._valid, self._source, 1, address.encode(), 0, len(content),
            )  # fmt: skip
            return head + content + TAIL_3
        head = SUBMIT_2.pack(
            SUBMIT_2.size + len(content) + len(TAIL_2), SUBMIT, sequence,
                total, number, 1, level, self._service, account.fee_user, b"", 0, headed, coding, self._user,
            self._fee_type, self._fee_code, self._valid, self._source, 1, address.encode(), len(content),
        )  # fmt: skip
        return head + content + TAIL_2

    def ask(self, sequence: int) -> bytes:
        return _frame(Command.ACTIVE_TEST, sequence, b"")

    def farewell(self, sequence: int) -> bytes:
        return _frame(Command.TERMINATE, sequence, b"")

    def read(self, frame: bytes) -> Event:  # noqa: PLR0911 (a line per command)
        if len(frame) < HEADER.size:
            raise WireError(f"a frame of {len(frame)} octets")
        _, command, sequence = HEADER.unpack_from(frame)
        match command:
            case 0x80000004:
                return self._answer(sequence, frame)
            case 0x00000005:
                return self._deliver(sequence, frame)
            case 0x80000001:
                return self._signed_in(frame[HEADER.size :])
            case Command.ACTIVE_TEST:
                return Asked(_frame(ANSWER | Command.ACTIVE_TEST, sequence, b"\0"))
            case 0x80000008:
                return Alive()
            case Command.TERMINATE:
                return Farewell(_frame(ANSWER | Command.TERMINATE, sequence, b""))
            case 0x80000002:
                return Farewell()
        raise WireError(f"command {command:#010x}")

    def _signed_in(self, body: bytes) -> SignedIn:
        width = len(body) - CONNECT_ANSWER  # as wide as the gateway's own version has it
        if not 1 <= width <= 4:
            raise WireError(f"CONNECT_RESP of {len(body)} octets")
        status = int.from_bytes(body[:width])
        if status == 0:
            return SignedIn()
        return SignedIn(REFUSED_SIGN_IN.get(status, f"状态 {status}"))

    def _answer(self, sequence: int, frame: bytes) -> Answered:
        width = 4 if self._third else 1
        number, result = frame[12:20], int.from_bytes(frame[20 : 20 + width])
        if len(frame) < 20 + width:
            raise WireError(f"SUBMIT_RESP ends after {len(frame)} octets")
        return self._results.answered(sequence, ref(number), result)

    def _deliver(self, sequence: int, frame: bytes) -> Reported | Said:
        layout, stored = (DELIVER_3, STORED_3) if self._third else (DELIVER_2, STORED_2)
        start = HEADER.size + layout.size
        if len(frame) < start:
            raise WireError(f"DELIVER ends after {len(frame)} octets")
        number, _, _, _, headed, coding, source, *_, is_report, length = layout.unpack_from(frame, HEADER.size)
        content = cut(frame[start:], length, "DELIVER's content")
        acknowledgement = stored.pack(stored.size, STORED, sequence, number)
        if is_report == 1:
            about, status = REPORT.unpack(cut(content, REPORT.size, "a status report"))
            return Reported(ref(about), word(status), acknowledgement)
        found = piece(content, coding, headed=bool(headed))
        return Said(ref(number), national(word(source)), found, acknowledgement)


def _frame(command: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body
