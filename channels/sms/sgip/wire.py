"""SGIP's octets: commands, fields, codes (中国联合通信公司短消息网关系统接口协议 SGIP 1.2).

A frame is length, command (four octets each, big-endian) and a sequence number of twelve, then the body. Texts are
filled up with zeros. Every answer's body is a result and eight octets in reserve.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from hmac import compare_digest

from channels.sms.parts import Part, piece
from channels.sms.session.events import (
    Event,
    Farewell,
    Knocks,
    Reported,
    Said,
    SignedIn,
    WireError,
)
from channels.sms.session.numbers import national
from channels.sms.session.octets import ANSWER, cut, validity, word
from channels.sms.session.results import Results
from channels.sms.sgip.sequence import Series


class Command(IntEnum):
    """Command ID; an answer's has the highest bit set."""

    BIND = 1
    UNBIND = 2
    SUBMIT = 3
    DELIVER = 4
    REPORT = 5


FROM_US, FROM_THE_GATEWAY = 1, 2
"""Login Type."""

WRONG_SIGN_IN, WRONG_TYPE = 1, 4
"""Results that we answer with."""

RESULTS = Results(
    words={
        1: "非法登录",
        2: "重复登录",
        3: "连接过多",
        4: "登录类型错",
        5: "参数格式错",
        6: "非法手机号码",
        7: "消息 ID 错",
        8: "信息长度错",
        9: "非法序列号",
        10: "非法操作 GNS",
        11: "节点忙",
        21: "目的地址不可达",
        22: "路由错",
        23: "路由不存在",
        24: "计费号码无效",
        25: "用户不能通信（不在服务区、未开机等）",
        26: "手机内存不足",
        27: "手机不支持短消息",
        28: "手机接收短消息出错",
        29: "空号（不知道的用户）",
        30: "不提供此功能",
        31: "非法设备",
        32: "系统失败",
        33: "短信中心队列满",
        57: "登录 IP 错误",
        64: "源地址错误",
        93: "节点编号或企业代码错误",
        101: "接入号与企业代码不匹配",
        102: "接入号未分配或不合法",
        103: "业务代码不存在",
        104: "资费类型错误",
        105: "费率错误",
        109: "计费号码无效",
        114: "UserCount 不为 1",
        115: "MorelatetoMTFlag 错误",
        211: "企业处于异常状态",
        212: "企业代码不存在",
    },
    throttled=frozenset({3, 11, 21, 32, 33}),
    unfit=frozenset({1, 2, 4, 7, 9, 10, 24, 57, 64, 93, 101, 102, 103, 104, 105, 109, 114, 115, 211, 212}),
)
"""Not now: the node, or one behind it, is busy or down. Not from us: account, node, number, service or tariff."""

NOT_ASKED_FOR_BY_A_REPLY = 2
"""MorelatetoMTFlag: nobody asked for the message with one of his own."""

REPORT_ALWAYS = 1
"""ReportFlag: a report whether it arrives or not."""

DELIVERED, WAITING = 0, 1
"""State in a report; 2 is a failure, with its code."""

URGENT = 9
"""Priority of what is most urgent (0 to 9, the highest first)."""

HEADER = struct.Struct(">II12s")
BIND = struct.Struct(">B16s16s8x")
SUBMIT = struct.Struct(">21s21sB21s5s10sB6s6sBBB16s16xBBBBBI")
DELIVER = struct.Struct(">21s21sBBBI")
REPORT = struct.Struct(">12sB21sBB")
RESULT = struct.Struct(">B8x")
RESERVE = bytes(8)
COUNTRY = b"86"

LONGEST = 4096
"""Octets of a frame; a message has at most 160."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the carrier has agreed with us: how we sign in, how the gateway does (`smg_user`, `smg_password`), `source`
    the number that people see, `corporation` the five digits of the enterprise, `service` the service code, `charge`
    who pays (zeros: we), `fee_type` and `fee_value` the tariff."""

    user: str
    password: str
    smg_user: str
    smg_password: str
    source: str
    corporation: str
    service: str
    charge: str
    fee_type: int
    fee_value: str


class Sgip:
    """The dialect, for one account, on one connection."""

    shortest, longest = HEADER.size, LONGEST

    def __init__(
        self,
        account: Account,
        series: Series,
        busy: Iterable[int] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._series = series
        self._results = RESULTS.also_throttled(busy)
        self._now = now
        texts = (account.source, account.charge, account.corporation, account.service, account.fee_value)
        self._source, self._charge, self._corporation, self._service, self._fee_value = (one.encode() for one in texts)
        self._expected = _filled(account.smg_user), _filled(account.smg_password)
        self._valid_for: datetime | None = None
        self._valid = b""

    def sign_in(self, sequence: int, now: datetime) -> bytes:
        account = self._account
        body = BIND.pack(FROM_US, account.user.encode(), account.password.encode())
        return _frame(Command.BIND, self._series.number(sequence, now), body)

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes:
        content, coding, total, _ = part
        if expires is not self._valid_for:
            self._valid_for, self._valid = expires, validity(expires)
        body = SUBMIT.pack(
            self._source, self._charge, 1, COUNTRY + address.encode(), self._corporation, self._service,
            self._account.fee_type, self._fee_value, b"0", 0, NOT_ASKED_FOR_BY_A_REPLY, URGENT - 3 * urgency,
            self._valid, REPORT_ALWAYS, 0, int(total > 1), coding, 0, len(content),
        )  # fmt: skip
        return _frame(Command.SUBMIT, self._series.number(sequence, self._now()), body + content + RESERVE)

    def ask(self, sequence: int) -> bytes:  # noqa: ARG002 (the protocol has no such question)
        return b""

    def farewell(self, sequence: int) -> bytes:
        return _frame(Command.UNBIND, self._series.number(sequence, self._now()), b"")

    def read(self, frame: bytes) -> Event:  # noqa: PLR0911 (a line per command)
        _, command, number = HEADER.unpack(cut(frame, HEADER.size, "a frame"))
        body = frame[HEADER.size :]
        match command:
            case 0x80000003:
                return self._results.answered(self._series.frame(number), number.hex(), _result(body, "Submit_Resp"))
            case Command.REPORT:
                return _report(number, body)
            case Command.DELIVER:
                return _deliver(number, body)
            case Command.BIND:
                return self._knocks(number, body)
            case 0x80000001:
                return SignedIn(RESULTS.why(_result(body, "Bind_Resp")))
            case Command.UNBIND:
                return Farewell(_frame(ANSWER | Command.UNBIND, number, b""))
            case 0x80000002:
                return Farewell()
        raise WireError(f"command {command:#010x}")

    def _knocks(self, number: bytes, body: bytes) -> Knocks:
        kind, user, password = BIND.unpack(cut(body, BIND.size, "Bind"))
        known = compare_digest(user, self._expected[0])
        proved = compare_digest(password, self._expected[1])
        if not known & proved:
            return Knocks(_answer(Command.BIND, number, WRONG_SIGN_IN), "wrong name or password")
        if kind != FROM_THE_GATEWAY:
            return Knocks(_answer(Command.BIND, number, WRONG_TYPE), f"login type {kind}")
        return Knocks(_answer(Command.BIND, number, 0))


def _report(number: bytes, body: bytes) -> Reported:
    about, _, _, state, error = REPORT.unpack(cut(body, REPORT.size, "Report"))
    if state == DELIVERED:
        status = "DELIVRD"
    elif state == WAITING:
        status = "ENROUTE"
    else:
        status = f"{error} {RESULTS.words.get(error, '')}".rstrip()
    return Reported(about.hex(), status, _answer(Command.REPORT, number, 0))


def _deliver(number: bytes, body: bytes) -> Said:
    user, _, _, headed, coding, length = DELIVER.unpack(cut(body, DELIVER.size, "Deliver"))
    content = cut(body[DELIVER.size :], length, "Deliver's content")
    found = piece(content, coding, headed=headed == 1)
    return Said(number.hex(), national(word(user)), found, _answer(Command.DELIVER, number, 0))


def _result(body: bytes, what: str) -> int:
    return cut(body, 1, what)[0]


def _answer(command: int, number: bytes, result: int) -> bytes:
    return _frame(ANSWER | command, number, RESULT.pack(result))


def _filled(text: str) -> bytes:
    return text.encode().ljust(16, b"\0")


def _frame(command: int, number: bytes, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, number) + body
