"""SMGP's octets: commands, fields, codes (中国电信短消息网关协议 3.0).

A frame is length, command, sequence (four octets each, big-endian), then the body, then optional parameters of tag,
length and value. Texts are filled up with zeros; a message's id is ten binary octets.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from channels.sms.parts import Part, piece
from channels.sms.session.events import (
    Alive,
    Asked,
    Event,
    Farewell,
    Reported,
    Said,
    SignedIn,
    WireError,
)
from channels.sms.session.fields import Fields
from channels.sms.session.numbers import national
from channels.sms.session.octets import ANSWER, authenticator, cut, stamp, validity, word
from channels.sms.session.results import Results


class Command(IntEnum):
    """RequestID; an answer's has the highest bit set."""

    LOGIN = 1
    SUBMIT = 2
    DELIVER = 3
    ACTIVE_TEST = 4
    EXIT = 6


VERSIONS = {"3.0": 0x30, "3.3": 0x33}
ZEROS = 7
"""Between ClientID and secret, where the secret is proved."""

BOTH_WAYS = 2
"""LoginMode: messages are sent and received on the connection."""

TO_HANDSETS = 6
"""MsgType of what goes from us to a handset."""

TP_UDHI, PK_TOTAL, PK_NUMBER, MSG_SRC = 0x0002, 0x0009, 0x000A, 0x0010
"""Tags of optional parameters."""

RESULTS = Results(
    words={
        1: "系统忙",
        2: "超过最大连接数",
        3: "系统超时",
        4: "发送失败",
        10: "消息结构错",
        11: "命令字错",
        12: "序列号重复",
        20: "IP 地址错",
        21: "认证错",
        22: "版本太高",
        30: "非法消息类型",
        31: "非法优先级",
        32: "非法资费类型",
        33: "非法资费代码",
        34: "非法短消息格式",
        35: "非法时间格式",
        36: "非法短消息长度",
        37: "有效期已过",
        38: "非法查询类别",
        39: "路由错误",
        40: "非法包月费/封顶费",
        41: "非法更新类型",
        42: "非法路由编号",
        43: "非法业务代码",
        44: "非法有效期",
        45: "非法定时发送时间",
        46: "非法发送号码",
        47: "非法接收号码",
        48: "非法计费号码",
        49: "非法企业代码",
        53: "非注册企业",
    },
    throttled=frozenset({1, 2, 3}),
    unfit=frozenset({11, 20, 21, 22, 30, 31, 32, 33, 35, 40, 43, 44, 45, 46, 48, 49, 53}),
)
"""Not now: the system is busy, has too many connections, or was too slow. Not from us: account, service, tariff,
number, or how we write priority and times."""

HEADER = struct.Struct(">III")
LOGIN = struct.Struct(">8s16sBIB")
LOGIN_ANSWER = struct.Struct(">I16sB")
SUBMIT = struct.Struct(">BBB10s2s6s6sB17s17x21s21xB21sB")
SUBMIT_ANSWER = struct.Struct(">10sI")
DELIVER = struct.Struct(">10sBB14s21s21sB")
RESERVE = 8
OCTET = struct.Struct(">HHB")
"""An optional parameter whose value is one octet."""

REPORTED_ID = b"id:"
ID = 10
"""Octets of a MsgID, which a report's text has as they are, behind `id:`."""

LONGEST = 4096
"""Octets of a frame; the longest that we are sent, a DELIVER, has 12 + 77 + 255 and its optional parameters."""

_STATUS = re.compile(rb"stat:([A-Za-z0-9:]{1,7})")
_HEX_ID = re.compile(rb"[0-9A-Fa-f]{20}(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Account:
    """What the carrier has agreed with us: `user` (ClientID, 8 characters) signs in, `source` is the number that people
    see, `service` the service code, the three fees the tariff, `sp` goes along as MsgSrc where there is one."""

    user: str
    password: str
    version: int
    source: str
    service: str
    fee_type: str
    fee_code: str
    fixed_fee: str
    sp: str


class Smgp:
    """The dialect, for one account."""

    shortest, longest = HEADER.size, LONGEST

    def __init__(self, account: Account, busy: Iterable[int] = ()) -> None:
        self._account = account
        self._results = RESULTS.also_throttled(busy)
        texts = (account.service, account.fee_type, account.fee_code, account.fixed_fee, account.source)
        self._service, self._fee_type, self._fee_code, self._fixed_fee, self._source = (one.encode() for one in texts)
        sp = account.sp.encode()
        self._sp = struct.pack(">HH", MSG_SRC, len(sp)) + sp if sp else b""
        self._valid_for: datetime | None = None
        self._valid = b""

    def sign_in(self, sequence: int, now: datetime) -> bytes:
        account, moment = self._account, stamp(now)
        proof = authenticator(account.user, ZEROS, account.password, moment)
        body = LOGIN.pack(account.user.encode(), proof, BOTH_WAYS, int(moment), account.version)
        return _frame(Command.LOGIN, sequence, body)

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes:
        content, coding, total, number = part
        if expires is not self._valid_for:
            self._valid_for, self._valid = expires, validity(expires)
        body = SUBMIT.pack(
            TO_HANDSETS, 1, 3 - urgency, self._service, self._fee_type, self._fee_code, self._fixed_fee, coding,
            self._valid, self._source, 1, address.encode(), len(content),
        )  # fmt: skip
        options = self._sp
        if total > 1:
            options += OCTET.pack(TP_UDHI, 1, 1) + OCTET.pack(PK_TOTAL, 1, total) + OCTET.pack(PK_NUMBER, 1, number)
        return _frame(Command.SUBMIT, sequence, body + content + bytes(RESERVE) + options)

    def ask(self, sequence: int) -> bytes:
        return _frame(Command.ACTIVE_TEST, sequence, b"")

    def farewell(self, sequence: int) -> bytes:
        return _frame(Command.EXIT, sequence, b"")

    def read(self, frame: bytes) -> Event:  # noqa: PLR0911 (a line per command)
        _, command, sequence = HEADER.unpack(cut(frame, HEADER.size, "a frame"))
        body = frame[HEADER.size :]
        match command:
            case 0x80000002:
                number, result = SUBMIT_ANSWER.unpack(cut(body, SUBMIT_ANSWER.size, "Submit_Resp"))
                return self._results.answered(sequence, number.hex(), result)
            case Command.DELIVER:
                return _deliver(sequence, body)
            case 0x80000001:
                status, _, _ = LOGIN_ANSWER.unpack(cut(body, LOGIN_ANSWER.size, "Login_Resp"))
                return SignedIn(RESULTS.why(status))
            case Command.ACTIVE_TEST:
                return Asked(_frame(ANSWER | Command.ACTIVE_TEST, sequence, b""))
            case 0x80000004:
                return Alive()
            case Command.EXIT:
                return Farewell(_frame(ANSWER | Command.EXIT, sequence, b""))
            case 0x80000006:
                return Farewell()
        raise WireError(f"command {command:#010x}")


def _deliver(sequence: int, body: bytes) -> Reported | Said:
    number, is_report, coding, _, source, _, length = DELIVER.unpack(cut(body, DELIVER.size, "Deliver"))
    rest = body[DELIVER.size :]
    content = cut(rest, length, "Deliver's content")
    acknowledgement = _frame(ANSWER | Command.DELIVER, sequence, SUBMIT_ANSWER.pack(number, 0))
    if is_report == 1:
        return _report(content, acknowledgement)
    headed = _options(rest[length + RESERVE :]).get(TP_UDHI, b"\0")[-1:] == b"\1"
    return Said(number.hex(), national(word(source)), piece(content, coding, headed=headed), acknowledgement)


def _options(rest: bytes) -> dict[int, bytes]:
    """The optional parameters; whatever else a gateway puts there is none, and no reason to part."""
    try:
        return Fields(rest).options()
    except WireError:
        return {}


def _report(content: bytes, acknowledgement: bytes) -> Reported:
    """Read `id:… sub:… stat:…`, whose id is binary, or written in hex where a gateway means it well."""
    after = content.removeprefix(REPORTED_ID)
    written = _HEX_ID.match(after)
    number = written[0].decode().lower() if written else after[:ID].hex()
    said = _STATUS.search(after, ID)
    status = said[1].decode().upper() if said else "UNKNOWN"
    return Reported(number, status, acknowledgement)


def _frame(command: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body
