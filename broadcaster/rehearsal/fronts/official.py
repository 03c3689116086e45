"""The front of 公众平台 (api.weixin.qq.com): an official account's tokens, templates, template messages and QR codes.

Written from the platform's documents, apart from the driver. Within ten minutes a follower gets one message of a
client_msg_id; what comes again is answered as the first was.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING, ClassVar

import msgspec

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.http import Asked
from broadcaster.rehearsal.fronts.sealing import Notice
from broadcaster.rehearsal.fronts.wechat import NOWHERE, Platform, WechatFront, code_of
from broadcaster.rehearsal.judge import BAD_ADDRESS, FAR, Batch
from broadcaster.rehearsal.names import Serials
from broadcaster.rehearsal.outbox import Post, ReceiptPost
from broadcaster.rehearsal.reading import read
from broadcaster.rehearsal.script import OfficialFront as Settings
from channels.line.settings import Address
from channels.line.wire import ACCEPTED, DEFERRED, AnswerRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

WRONG_APPID, WRONG_SECRET = 40013, 40125
NO_OPENID, NO_TEMPLATE, NO_FOLLOWER, WRONG_FIELD, NO_SCENE = 40003, 40037, 43004, 47003, 40053

ONCE_WITHIN = 600.0
"""Seconds in which a follower gets one message of a client_msg_id."""

MESSAGES_KEPT = 500_000

LONGEST = {"thing": 20, "const": 20, "character_string": 32, "letter": 32, "number": 32, "phrase": 5, "name": 10}
"""Characters of a value by the kind of its field, which is the field's name without its number (参数值内容限制)."""

LONGEST_ANY = 200
LONGEST_SCENE = 64

OUR_KEY = re.compile(r"(\d{1,9})-(\d{1,9})")
"""A client_msg_id as our own driver writes it: alert and ordinal."""

_APPID = re.compile(r"wx[0-9a-f]{16}")
_FIELD = re.compile(r"\{\{\s*(\w+)\.DATA\s*\}\}")
_TIME = re.compile(r"(\d{4}年\d{1,2}月\d{1,2}日( \d{1,2}:\d{2}(:\d{2})?)?|\d{1,2}:\d{2}(:\d{2})?)( ?~ ?.+)?")
_OPENID = re.compile(r"o[A-Za-z0-9_-]{27}")
NOBODY = "oNobodyAtAll0000000000000000"
"""Whom a receipt names that is about a message that never was."""


class _Credentials(msgspec.Struct, frozen=True):
    grant_type: str = ""
    appid: str = ""
    secret: str = ""


class _Value(msgspec.Struct, frozen=True):
    value: str = ""


class _Message(msgspec.Struct, frozen=True):
    touser: str = ""
    template_id: str = ""
    url: str = ""
    client_msg_id: str = ""
    data: dict[str, _Value] = {}


class _Scene(msgspec.Struct, frozen=True):
    scene_str: str = ""


class _Action(msgspec.Struct, frozen=True):
    scene: _Scene = _Scene()


class _Code(msgspec.Struct, frozen=True):
    action_name: str = ""
    action_info: _Action = _Action()


@dataclass(slots=True)
class Known:
    """A client_msg_id of a follower: how often it came, and the id of the message that went out by it ("" none) at
    `since` (the loop's time)."""

    times: int = 0
    ref: str = ""
    since: float = 0.0


class OfficialPlatform(Platform):
    """The platform, whoever is connected."""

    both_signatures: ClassVar[bool] = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.templates: Mapping[str, str] = settings.templates
        self._menu = frozenset(settings.menu)
        self._known: OrderedDict[tuple[str, str, str], Known] = OrderedDict()

    def known(self, account: str, openid: str, client: str) -> Known:
        """What there was of a client_msg_id."""
        found = self._known.get((account, openid, client))
        if found is None:
            found = self._known[account, openid, client] = Known()
            if len(self._known) > MESSAGES_KEPT:
                self._known.popitem(last=False)
        elif found.ref and found.since + ONCE_WITHIN < self._loop.time():
            found.ref = ""
        found.times += 1
        return found

    def went_out(self, known: Known, ref: str) -> None:
        """A message went out."""
        known.ref, known.since = ref, self._loop.time()

    def follow_by(self, account: Account, address: str, *, follows: bool, scene: str) -> None:
        """Somebody follows the account, by a code of `scene` or without one, follows it no more, or scans a code
        although they follow it."""
        news = self.follow(account, address, follows=follows)
        head = self._head(account.name, address, time.time())
        if not follows:
            event: Notice = {"Event": "unsubscribe", "EventKey": ""}
        elif scene and not news:
            event = {"Event": "SCAN", "EventKey": scene, "Ticket": ticket(account.name, scene)}
        elif scene:
            event = {"Event": "subscribe", "EventKey": f"qrscene_{scene}", "Ticket": ticket(account.name, scene)}
        else:
            event = {"Event": "subscribe", "EventKey": ""}
        self.tell(account, {**head, "MsgType": "event", **event})

    def notices(self, account: str, post: Post) -> Notice:
        if isinstance(post, ReceiptPost):
            ((ref, _, _, _, _, reason, address, _),) = post.rows
            who = address if _OPENID.fullmatch(address) else NOBODY
            event: Notice = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": int(ref), "Status": _status(reason)}
            return {**self._head(account, who, post.at), "MsgType": "event", **event}
        ((name, address, text, at, _),) = post.rows
        head = self._head(account, address, at)
        if text in self._menu:
            return {**head, "MsgType": "event", "Event": "CLICK", "EventKey": text}
        return {**head, "MsgType": "text", "Content": text, "MsgId": int(name)}

    def beside(self, notice: Notice) -> Notice:
        return {"ToUserName": notice["ToUserName"]}

    def _head(self, account: str, who: str, at: float) -> Notice:
        return {"ToUserName": f"gh_{_mark(account)[:12]}", "FromUserName": who, "CreateTime": int(at)}


class OfficialFront(WechatFront[Known, OfficialPlatform]):
    """One connection; what is remembered of a message until its answer is what there was of its client_msg_id."""

    protocol: ClassVar[str] = "official"

    def obey(self, asked: Asked) -> None:
        match asked.method, asked.path:
            case "POST", "/cgi-bin/stable_token":
                self._grant(asked)
            case "GET", "/cgi-bin/template/get_all_private_template":
                self._list(asked)
            case "POST", "/cgi-bin/message/template/send":
                self._send(asked)
            case "POST", "/cgi-bin/qrcode/create":
                self._code(asked)
            case _:
                self.refuse(NOWHERE, "invalid url")

    def answer(self, frame: Known, answers: list[AnswerRow]) -> None:
        ((_, verdict, detail, _),) = answers
        if verdict == ACCEPTED:
            self.respond({"errcode": 0, "errmsg": "ok", "msgid": int(frame.ref)})
        elif verdict == DEFERRED:
            self.refuse(self.platform.settings.busy, "try again later")
        else:
            self.refuse(NO_OPENID if detail == BAD_ADDRESS else code_of(detail, NO_FOLLOWER))

    def _grant(self, asked: Asked) -> None:
        given = self.posted(asked, _Credentials)
        if given is None:
            return
        if given.grant_type != "client_credential" or not _APPID.fullmatch(given.appid):
            self.refuse(WRONG_APPID, "invalid appid")
        elif (granted := self.sign_in(given.appid, given.secret, WRONG_SECRET)) is not None:
            self.respond({"access_token": granted[0], "expires_in": granted[1]})

    def _list(self, asked: Asked) -> None:
        if self.who(asked) is not None:
            found = [
                {"template_id": name, "title": "预警信息", "content": content}
                for name, content in self.platform.templates.items()
            ]
            self.respond({"template_list": found})

    def _code(self, asked: Asked) -> None:
        account, wanted = self.who(asked), self.posted(asked, _Code)
        if account is None or wanted is None:
            return
        scene = wanted.action_info.scene.scene_str
        if wanted.action_name != "QR_LIMIT_STR_SCENE" or not 1 <= len(scene) <= LONGEST_SCENE:
            self.refuse(NO_SCENE, "invalid action info")
        else:
            name = ticket(account.name, scene)
            self.respond({"ticket": name, "url": f"http://weixin.qq.com/q/{name}"})

    def _send(self, asked: Asked) -> None:
        account = self.who(asked)
        message = self.posted(asked, _Message) if account is not None else None
        if account is None or message is None:
            return
        content = self.platform.templates.get(message.template_id)
        if content is None:
            self.refuse(NO_TEMPLATE, "invalid template_id")
        elif not _fits(content, message.data):
            self.refuse(WRONG_FIELD, "argument invalid")
        elif not self.platform.knows(account.name, message.touser):
            self.refuse(NO_FOLLOWER, "require subscribe")
        else:
            self._take(account, message, _shown(content, message.data))

    def _take(self, account: Account, message: _Message, text: str) -> None:
        arrived = time.time()
        known = self.platform.known(account.name, message.touser, message.client_msg_id)
        self.expect(1)
        self.take(known, 1, lambda: self._judge(account, message, text, known, arrived))

    def _judge(self, account: Account, message: _Message, text: str, known: Known, arrived: float) -> list[AnswerRow]:
        if known.ref and message.client_msg_id:
            return [(0, ACCEPTED, known.ref, 0.0)]
        if not account.let_through(1):
            return [(0, DEFERRED, "", account.wait())]
        names = account.names
        if not isinstance(names, Serials):
            raise TypeError("The ids of an account at a platform are serial numbers.")
        found = OUR_KEY.fullmatch(message.client_msg_id)
        alert, ordinal, attempt = (int(found[1]), int(found[2]), known.times) if found else (0, 0, 0)
        row = (alert, ordinal, attempt, message.touser, 0, 0, FAR)
        reading = read(text, account.asks, message.url)
        batch = Batch([row], [names.message()], [reading], [int(self.platform.calls(account.name))])
        answers = account.take(batch, self, {}, arrived)
        ((_, verdict, detail, _),) = answers
        if verdict == ACCEPTED:
            self.platform.went_out(known, detail)
        return answers


def ticket(account: str, scene: str) -> str:
    """The ticket of a scene's code: always the same."""
    return f"gQ{_mark(f'{account}/{scene}')}"


def _mark(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def _fits(content: str, data: Mapping[str, _Value]) -> bool:
    """Whether every field of a template has a value, and one that its kind takes."""
    return all(_takes(name, data[name].value if name in data else "") for name in _FIELD.findall(content))


def _takes(name: str, value: str) -> bool:
    kind = name.rstrip("0123456789")
    if kind in ("time", "date"):
        return _TIME.fullmatch(value) is not None
    return bool(value.strip()) and len(value) <= LONGEST.get(kind, LONGEST_ANY)


def _shown(content: str, data: Mapping[str, _Value]) -> str:
    """The message as its reader sees it."""
    return _FIELD.sub(lambda found: data[found[1]].value, content)


def _status(reason: str) -> str:
    """What became of a message, in the platform's words."""
    if not reason:
        return "success"
    return reason if reason.startswith("failed") else "failed: system failed"


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage, which knows its platform."""
    platform = stage.platforms["official"] = OfficialPlatform(settings)
    return Door(Address.parse(settings.listen), lambda: OfficialFront(stage, stage.next_number(), platform), platform)
