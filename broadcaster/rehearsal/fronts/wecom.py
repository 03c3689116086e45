"""The front of 企业微信 (qyapi.weixin.qq.com): an office's tokens, messages of its app (texts, cards with a button),
and robots in groups.

Written from the platform's documents, apart from the driver. Who repeats a request within the interval of its duplicate
check is answered as at first. What is written into a group nobody hears.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from broadcaster.errors import NotFoundError
from broadcaster.ports import DeliveryKey
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.http import Asked
from broadcaster.rehearsal.fronts.sealing import Notice
from broadcaster.rehearsal.fronts.wechat import NOWHERE, Platform, WechatFront, code_of
from broadcaster.rehearsal.fronts.wecom_message import Message, Posted, read_message, read_posted
from broadcaster.rehearsal.judge import FAR, Batch
from broadcaster.rehearsal.names import Serials
from broadcaster.rehearsal.outbox import Post, ReceiptPost
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.script import WecomFront as Settings
from channels.line.settings import Address
from channels.line.wire import ACCEPTED, DEFERRED, REJECTED, AnswerRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

WRONG_SECRET, NO_AGENT, NOBODY, NO_ROBOT, TOO_OFTEN = 40001, 40056, 81013, 93000, 45009
WRONG_CONTENT, NO_USER = 40008, 40031

MOST_MEMBERS = 1000
ROBOTS = "robots"
"""The account of all robots."""

MOST_IN_A_MINUTE = 20
"""Messages of one robot."""

REQUESTS_KEPT, CARDS_KEPT = 100_000, 100_000
LONGEST_INTERVAL = 4 * 3600

OUR_KEY = re.compile(r"\d{1,9}-\d{1,9}-\d{1,4}")
"""A task_id as our own driver writes it: the delivery's key."""

NO_KEY = DeliveryKey(0, 0, 0)

UNLICENSED = "unlicenseduser"
"""The reason for refusing somebody who has no licence, in the script."""


class Card(NamedTuple):
    """A card that somebody got: the app that sent it, its task, and what its first button answers."""

    agent: int
    task: str
    key: str


class Sent(NamedTuple):
    """A request that is being answered: the id that its message gets, to whom it goes, and what names it if it comes
    again within `interval` seconds ("" nothing does)."""

    ref: str
    members: list[str]
    name: str
    interval: float


class WecomPlatform(Platform):
    """The platform, whoever is connected."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.robots = {key: name for name, key in settings.robots.items()}
        self._said: dict[str, deque[float]] = {}
        self._requests: OrderedDict[str, tuple[float, dict[str, object]]] = OrderedDict()
        self._cards: OrderedDict[tuple[str, str], Card] = OrderedDict()
        self._agents: dict[str, int] = {}

    def answered(self, name: str) -> dict[str, object] | None:
        """How the same request was answered, if it counts as the same still."""
        until, answer = self._requests.get(name, (0.0, None))
        return answer if until > self._loop.time() else None

    def remember(self, sent: Sent, answer: dict[str, object]) -> None:
        """A request was answered well."""
        if sent.name:
            self._requests[sent.name] = (self._loop.time() + sent.interval, answer)
            if len(self._requests) > REQUESTS_KEPT:
                self._requests.popitem(last=False)

    def show(self, account: str, address: str, card: Card) -> None:
        """Somebody gets a card."""
        self._agents[account] = card.agent
        self._cards[account, address] = card
        if len(self._cards) > CARDS_KEPT:
            self._cards.popitem(last=False)

    def card(self, account: str, address: str) -> Card:
        """The last card that somebody got; NotFoundError without one."""
        if (account, address) not in self._cards:
            raise NotFoundError("There is no card to press at that address.")
        return self._cards[account, address]

    def serve_robots(self, account: Account) -> None:
        """What people write into groups is brought at once, to nobody."""
        self._rounds.serve(account)

    def in_time(self, robot: str) -> bool:
        """Whether a robot may say something more this minute."""
        said, now = self._said.setdefault(robot, deque(maxlen=MOST_IN_A_MINUTE)), self._loop.time()
        if len(said) == MOST_IN_A_MINUTE and said[0] > now - 60:
            return False
        said.append(now)
        return True

    def notices(self, account: str, post: Post) -> Notice:
        if isinstance(post, ReceiptPost):
            raise TypeError("There are no receipts.")
        ((name, address, text, at, task),) = post.rows
        head: Notice = {"ToUserName": account, "FromUserName": address.removeprefix("wecom:"), "CreateTime": int(at)}
        agent = self._agents.get(account, 0)
        if not task:
            return {**head, "MsgType": "text", "Content": text, "MsgId": int(name), "AgentID": agent}
        pressed = {"Event": "template_card_event", "EventKey": text, "TaskId": task, "CardType": "button_interaction"}
        code = hashlib.sha256(name.encode()).hexdigest()
        return {**head, "MsgType": "event", **pressed, "ResponseCode": code, "AgentID": agent}

    def beside(self, notice: Notice) -> Notice:
        return {"ToUserName": notice["ToUserName"], "AgentID": notice["AgentID"]}

    async def _bring(self, account: Account, post: Post) -> bool:
        return account.name == ROBOTS or await super()._bring(account, post)


class WecomFront(WechatFront[Sent, WecomPlatform]):
    """One connection."""

    protocol: ClassVar[str] = "wecom"

    def obey(self, asked: Asked) -> None:
        match asked.method, asked.path:
            case "GET", "/cgi-bin/gettoken":
                self._grant(asked)
            case "POST", "/cgi-bin/message/send":
                self._send(asked)
            case "POST", "/cgi-bin/webhook/send":
                self._post(asked)
            case _:
                self.refuse(NOWHERE, "invalid url")

    def answer(self, frame: Sent, answers: list[AnswerRow]) -> None:
        """One errcode for all: who is refused is named, and with nobody left nothing was sent. Whoever is put off while
        others are not hears nothing, as whoever has had more than the platform allows."""
        verdicts = {verdict for _, verdict, _, _ in answers}
        if ACCEPTED in verdicts:
            self.respond(_sent(frame, answers))
        elif DEFERRED in verdicts:
            self.refuse(self.platform.settings.busy, "api freq out of limit")
        else:
            self.refuse(code_of(answers[0][2], NOBODY) if len(answers) == 1 else NOBODY, "all users invalid")

    def _grant(self, asked: Asked) -> None:
        name, secret = asked.query.get("corpid", ""), asked.query.get("corpsecret", "")
        if not name or name == ROBOTS:
            self.refuse(40013, "invalid corpid")
        elif (granted := self.sign_in(name, secret, WRONG_SECRET)) is not None:
            self.respond({"errcode": 0, "errmsg": "ok", "access_token": granted[0], "expires_in": granted[1]})

    def _send(self, asked: Asked) -> None:
        account = self.who(asked)
        message = self.posted(asked, Message) if account is not None else None
        if account is None or message is None:
            return
        members = [one.lower() for one in message.touser.split("|") if one]
        name = hashlib.sha256(account.name.encode() + asked.body).hexdigest() if message.enable_duplicate_check else ""
        reading = read_message(message, account)
        if not message.agentid:
            self.refuse(NO_AGENT, "invalid agentid")
        elif not 0 < len(members) <= MOST_MEMBERS:
            self.refuse(NO_USER, "invalid touser")
        elif reading is None:
            self.refuse(WRONG_CONTENT, "invalid message")
        elif (before := self.platform.answered(name)) is not None:
            self.respond(before)
        else:
            interval = min(message.duplicate_check_interval, LONGEST_INTERVAL)
            self._take(account, Sent(_serial(account), members, name, interval), reading, message.agentid)

    def _post(self, asked: Asked) -> None:
        name = self.platform.robots.get(asked.query.get("key", ""))
        if name is None:
            self.refuse(NO_ROBOT, "invalid webhook url")
            return
        account, said = self.admitted(ROBOTS), self.posted(asked, Posted)
        if account is None or said is None:
            return
        self.platform.serve_robots(account)
        reading = read_posted(said, account)
        if reading is None:
            self.refuse(WRONG_CONTENT, "invalid message")
        elif not self.platform.in_time(name):
            self.refuse(TOO_OFTEN, "api freq out of limit")
        else:
            sent = Sent(_serial(account), [f"group:{name}"], "", 0)
            self._take(account, sent, reading, 0)

    def _take(self, account: Account, sent: Sent, reading: Reading, agent: int) -> None:
        arrived = time.time()
        self.expect(len(sent.members))
        self.take(sent, len(sent.members), lambda: self._judge(account, sent, reading, agent, arrived))

    def _judge(self, account: Account, sent: Sent, reading: Reading, agent: int, arrived: float) -> list[AnswerRow]:
        size = len(sent.members)
        if account.let_through(size) < size:
            return [(index, DEFERRED, "", account.wait()) for index in range(size)]
        addresses = [one if account.name == ROBOTS else f"wecom:{one}" for one in sent.members]
        key = DeliveryKey.parse(reading.task) if OUR_KEY.fullmatch(reading.task) else NO_KEY
        strangers = {one for one in addresses if not self.platform.knows(account.name, one)}
        rows = [(*key, "" if one in strangers else one, 0, 0, FAR) for one in addresses]
        answers = account.take(Batch(rows, [sent.ref] * size, [reading], [0] * size), self, {}, arrived)
        taken = [addresses[index] for index, verdict, _, _ in answers if verdict == ACCEPTED]
        if taken:
            self.platform.remember(sent, _sent(sent, answers))
        for address in taken if reading.task else ():
            self.platform.show(account.name, address, Card(agent, reading.task, reading.key))
        return answers


def _sent(sent: Sent, answers: list[AnswerRow]) -> dict[str, object]:
    """How a request is answered of which something went out."""
    refused = [(sent.members[index], why) for index, verdict, why, _ in answers if verdict == REJECTED]
    return {
        "errcode": 0,
        "errmsg": "ok",
        "invaliduser": "|".join(member for member, why in refused if why != UNLICENSED),
        "unlicenseduser": "|".join(member for member, why in refused if why == UNLICENSED),
        "msgid": sent.ref,
    }


def _serial(account: Account) -> str:
    if not isinstance(account.names, Serials):
        raise TypeError("The ids of an account at a platform are serial numbers.")
    return account.names.message()


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage, which knows its platform."""
    platform = stage.platforms["wecom"] = WecomPlatform(settings)
    return Door(Address.parse(settings.listen), lambda: WecomFront(stage, stage.next_number(), platform), platform)
