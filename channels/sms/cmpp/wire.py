"""CMPP's octets, both versions: commands, fields, codes (中国移动通信互联网短信网关接口协议 2.0 and 3.0).

A frame is length, command, sequence (four octets each, big-endian), then the body. Texts are filled up with zeros.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import md5

from broadcaster.clock import BEIJING
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
    Verdict,
    WireError,
)
from channels.sms.session.numbers import national

ANSWER = 0x80000000


class Command(IntEnum):
    """Command_Id; an answer's has the highest bit set."""

    CONNECT = 1
    TERMINATE = 2
    SUBMIT = 4
    DELIVER = 5
    ACTIVE_TEST = 8


VERSION_2 = 0x20
VERSION_3 = 0x30

REFUSED_SIGN_IN = {1: "消息结构错", 2: "非法源地址", 3: "认证错", 4: "版本太高"}
RESULTS = {
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
}
FLOW_CONTROL = 8
OURS = frozenset({2, 5, 7, 9, 10, 11, 12})
"""Results that say that account, service or tariff are set up wrongly: no other message would fare better."""

HEADER = struct.Struct(">III")
CONNECT = struct.Struct(">6s16sBI")
SUBMIT_2 = struct.Struct(">8xBBBB10sB21sBBB6s2s6s17s17x21sB21sB")
SUBMIT_3 = struct.Struct(">8xBBBB10sB32sBBBB6s2s6s17s17x21sB32sBB")
DELIVER_2 = struct.Struct(">8s21s10sBBB21sBB")
DELIVER_3 = struct.Struct(">8s21s10sBBB32sBBB")
REPORT = struct.Struct(">8s7s")
CONNECT_ANSWER = 1 + 16 + 1
"""Octets of a CONNECT_RESP's body, at the least: status (four octets in 3.0), proof, version."""

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


def authenticator(user: str, password: str, stamp: str) -> bytes:
    """AuthenticatorSource: MD5 over user, nine zeros, secret, and the time as MMDDHHMMSS."""
    digest = md5(user.encode() + bytes(9) + password.encode() + stamp.encode(), usedforsecurity=False)
    return digest.digest()


def ref(number: bytes) -> str:
    """A Msg_Id as text."""
    return number.hex()


class Cmpp:
    """The dialect, for one account."""

    longest = LONGEST

    def __init__(self, account: Account) -> None:
        self._account = account
        self._third = account.version >= VERSION_3
        texts = (account.service, account.fee_type, account.fee_code, account.source, account.user)
        self._service, self._fee_type, self._fee_code, self._source, self._user = (text.encode() for text in texts)
        self._valid_for: datetime | None = None
        self._valid = b""

    def sign_in(self, sequence: int, now: datetime) -> bytes:
        account = self._account
        stamp = now.astimezone(BEIJING).strftime("%m%d%H%M%S")
        proof = authenticator(account.user, account.password, stamp)
        return _frame(Command.CONNECT, sequence, CONNECT.pack(self._user, proof, account.version, int(stamp)))

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes:
        content, coding, total, number = part
        account, level = self._account, 3 - urgency
        headed = int(total > 1)
        if expires is not self._valid_for:
            self._valid_for, self._valid = expires, validity(expires)
        if self._third:
            body = SUBMIT_3.pack(
                total, number, 1, level, self._service, account.fee_user, b"", 0, 0, headed, coding, self._user,
                self._fee_type, self._fee_code, self._valid, self._source, 1, address.encode(), 0, len(content),
            )  # fmt: skip
            return _frame(Command.SUBMIT, sequence, body + content + TAIL_3)
        body = SUBMIT_2.pack(
            total, number, 1, level, self._service, account.fee_user, b"", 0, headed, coding, self._user,
            self._fee_type, self._fee_code, self._valid, self._source, 1, address.encode(), len(content),
        )  # fmt: skip
        return _frame(Command.SUBMIT, sequence, body + content + TAIL_2)

    def ask(self, sequence: int) -> bytes:
        return _frame(Command.ACTIVE_TEST, sequence, b"")

    def farewell(self, sequence: int) -> bytes:
        return _frame(Command.TERMINATE, sequence, b"")

    def read(self, frame: bytes) -> Event:  # noqa: PLR0911 (a line per command)
        _, command, sequence = HEADER.unpack_from(frame)
        body = frame[HEADER.size :]
        match command:
            case 0x80000004:
                return self._answer(sequence, body)
            case Command.DELIVER:
                return self._deliver(sequence, body)
            case 0x80000001:
                return self._signed_in(body)
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
        _cut(body, CONNECT_ANSWER, "CONNECT_RESP")
        status = int.from_bytes(body[: len(body) - CONNECT_ANSWER + 1])  # as wide as the gateway's own version has it
        if status == 0:
            return SignedIn()
        return SignedIn(REFUSED_SIGN_IN.get(status, f"状态 {status}"))

    def _answer(self, sequence: int, body: bytes) -> Answered:
        width = 4 if self._third else 1
        number, result = body[:8], int.from_bytes(_cut(body[8:], width, "SUBMIT_RESP"))
        why = RESULTS.get(result, f"网关错误 {result}") if result else ""
        if result == 0:
            verdict = Verdict.ACCEPTED
        elif result == FLOW_CONTROL:
            verdict = Verdict.THROTTLED
        else:
            verdict = Verdict.UNFIT if result in OURS else Verdict.REFUSED
        return Answered(sequence, verdict, ref(number), why)

    def _deliver(self, sequence: int, body: bytes) -> Reported | Said:
        layout = DELIVER_3 if self._third else DELIVER_2
        number, _, _, _, headed, coding, source, *rest = layout.unpack(_cut(body, layout.size, "DELIVER"))
        is_report, length = rest[-2:]
        content = _cut(body[layout.size :], length, "DELIVER's content")
        result = b"\0\0\0\0" if self._third else b"\0"
        acknowledgement = _frame(ANSWER | Command.DELIVER, sequence, number + result)
        if is_report == 1:
            about, status = REPORT.unpack(_cut(content, REPORT.size, "a status report"))
            return Reported(ref(about), _word(status), acknowledgement)
        found = piece(content, coding, headed=bool(headed))
        return Said(ref(number), national(_word(source)), found, acknowledgement)


def validity(expires: datetime) -> bytes:
    """Valid_Time: YYMMDDhhmmss, tenths of a second, and the distance from UTC in quarters of an hour."""
    return expires.astimezone(BEIJING).strftime("%y%m%d%H%M%S").encode() + b"032+"


def _frame(command: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body


def _cut(data: bytes, length: int, what: str) -> bytes:
    if len(data) < length:
        raise WireError(f"{what} ends after {len(data)} octets")
    return data[:length]


def _word(filled: bytes) -> str:
    return filled.partition(b"\0")[0].decode("ascii", "replace").strip()
