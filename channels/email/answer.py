"""What a mail server's answer means for one mail (RFC 5321 4.2, enhanced codes RFC 3463)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from broadcaster.ports import Deferred, DeliveryKey, Rejected

GREYLISTED = 300.0  # s; servers that greylist want five minutes (RFC 6647 5)
MAILBOX_FULL = 900.0
OVERLOADED = 60.0
OUR_FAULT = 60.0
QUOTA = 900.0
LATER = 60.0
CLOSING = 421  # the server ends the connection (RFC 5321 3.8)
TOO_LARGE = 552  # or quota: RFC 5321 4.2.3
NONSENSE = -1  # stands for what is no answer at all
# The server objects to us, not to the recipient: someone must mend the gateway, the mail itself is good.
_OURS = frozenset({503, 530, 534, 535, 538})
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
# What servers say of us where their codes do not: Postfix, Exim, Exchange, Coremail; the big providers' daily limits.
_NO_RELAY = re.compile(
    r"relay(?:ing)?\b.{0,40}\b(?:denied|not|prohibited)|unable to relay|authentication (?:is )?required", re.I
)
_SENT_TOO_MUCH = re.compile(
    r"""(?:daily|hourly|user|message)\W{0,3}sending\W.{0,20}(?:quota|limit)|send(?:ing)?\ (?:quota|limit|rate)
    |too\ many\ (?:mails|messages)\ sent
    |frequency\ limited|发信.{0,6}(?:限|频|超)""",
    re.I | re.X,
)
_MEANING = {
    (1, 1): "没有这个邮箱",
    (1, 2): "没有这个域名",
    (1, 3): "地址格式被拒绝",
    (1, 6): "邮箱已迁走",
    (1, 10): "收件域名不收邮件",
    (2, 1): "邮箱已停用",
    (2, 2): "邮箱已满",
    (2, 3): "邮件超过邮箱限制",
    (3, 4): "邮件太大",
    (4, 4): "找不到对方服务器",
    (4, 7): "投递超时",
    (6, 7): "对方不支持国际化邮箱",
    (7, 1): "被对方拒收",
}
_SUBJECTS = {
    1: "地址有误",
    2: "邮箱不可用",
    3: "对方邮件系统有问题",
    4: "网络或路由有问题",
    5: "协议错误",
    6: "内容格式不支持",
    7: "被对方策略拒收",
}


@dataclass(frozen=True, slots=True)
class Status:
    """An enhanced status code: class 2 (done), 4 (for now), 5 (for good); subject; detail."""

    kind: int
    subject: int
    detail: int

    @classmethod
    def find(cls, text: str) -> Status | None:
        """The first status code in `text`."""
        match = _STATUS.search(text)
        return cls(int(match[1]), int(match[2]), int(match[3])) if match else None

    @property
    def meaning(self) -> str:
        """In the words that pages show."""
        return _MEANING.get((self.subject, self.detail)) or _SUBJECTS.get(self.subject, "邮件系统未说明原因")

    def __str__(self) -> str:
        return f"{self.kind}.{self.subject}.{self.detail}"


def is_answer(code: int) -> bool:
    """Whether a reply code can be one at all; anything else is not SMTP."""
    return 200 <= code <= 599


def refused(key: DeliveryKey, code: int, text: str) -> Deferred | Rejected:
    """The outcome of a mail that was answered with 4xx or 5xx before or after its content: it was not taken."""
    reason = reason_of(code, text)
    if code in _OURS:
        return Deferred(key, reason, OUR_FAULT)
    if _quota(text):
        return Deferred(key, f"本账号的发信配额已用完：{reason}", QUOTA)
    if 400 <= code < 500:
        return Deferred(key, reason, _after(code, Status.find(text)))
    return Rejected(key, reason)


def sender_refused(key: DeliveryKey, code: int, text: str) -> Deferred | Rejected:
    """The outcome of a mail whose MAIL command was refused, before any recipient was named: the sender, the account or
    its quota is at fault, and would be with every other mail; only one that is too large, or in a script that the
    server does not take, is at fault itself."""
    status = Status.find(text)
    if code == TOO_LARGE or code < 500 or (status is not None and status.subject in (3, 6)):
        return refused(key, code, text)
    return Deferred(key, f"发件人或账号被拒：{reason_of(code, text)}", OUR_FAULT)


def recipient_refused(key: DeliveryKey, code: int, text: str) -> Deferred | Rejected:
    """The outcome of a mail whose RCPT was refused: by a server that passes nothing on for us, any other would be."""
    if code >= 500 and _NO_RELAY.search(text):
        return Deferred(key, f"邮件服务器不为本网关转发：{reason_of(code, text)}", OUR_FAULT)
    return refused(key, code, text)


def reason_of(code: int, text: str) -> str:
    """Code and meaning; the server's own words are left out, they name people."""
    status = Status.find(text)
    return f"{code} {status} {status.meaning}" if status else f"{code} {_plain_meaning(code)}"


def _quota(text: str) -> bool:
    """Whether the account has sent too much, and not the mailbox received too much."""
    status = Status.find(text)
    return bool(_SENT_TOO_MUCH.search(text)) and (status is None or status.subject != 2)


def _after(code: int, status: Status | None) -> float:
    if status is not None and (status.subject, status.detail) == (2, 2):
        return MAILBOX_FULL
    if (status is not None and status.subject == 7) or (status is None and code == 451):
        return GREYLISTED
    return OVERLOADED if code in (421, 452) else LATER


def _plain_meaning(code: int) -> str:
    if code in _OURS:
        return "对方不接受本网关的登录或命令"
    if code in (421, 450, 451, 452):
        return "对方邮件系统忙"
    return {
        550: "邮箱不可用",
        551: "邮箱不在本机",
        552: "邮箱已满或邮件太大",
        553: "地址被拒绝",
        554: "被对方拒收",
    }.get(code, "对方拒收" if code >= 500 else "对方暂不接收")
