"""Whatever calls us as a WeChat platform, or answers as one: it is understood or refused, at little cost."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import CallbackResult, DeliveryKey, Envelope
from channels.http.exchange import Answer, NonsenseError
from channels.http.provider import Provider
from channels.wechat.callback.door import OpenDoor, sign
from channels.wechat.callback.seal import Seal, key_of
from channels.wechat.official.callback import OfficialCallback
from channels.wechat.official.provider import Official
from channels.wechat.official.settings import OfficialOptions
from channels.wechat.robot.pace import Pace
from channels.wechat.robot.provider import Robot
from channels.wechat.robot.settings import RobotOptions
from channels.wechat.wecom.callback import WecomCallback
from channels.wechat.wecom.provider import Wecom
from channels.wechat.wecom.settings import WecomOptions
from tests.contract.wechat_peer import ADDRESS, MESSAGE, settings
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SELDOM, SHORT, Bound, Decoder
from tests.harness.wechat_notice import ACCOUNT, AES_KEY, APPID, CORPID, TOKEN, plain, sealed, xml

NOW = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
REFUSALS = (InputError, UnauthenticatedError)
TOKENS = [b"<![CDATA[", b"]]>", b"<!DOCTYPE xml [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"</xml>", b"<xml>"]
TOKENS += [b"<?xml version='1.0' encoding='utf-16'?>", b"<Encrypt>", b"<Event>subscribe</Event>", b"<MsgId>1</MsgId>"]


def heads(to: str, who: str) -> Mapping[str, object]:
    return {"ToUserName": to, "FromUserName": who, "CreateTime": SECONDS}


def said_to_the_account() -> list[str]:
    head = heads(ACCOUNT, "oDaohuRehearsal0000000000001")
    event = {**head, "MsgType": "event"}
    return [
        xml(**head, MsgType="text", Content="收到，正在转移", MsgId=23_456),
        xml(**head, MsgType="location", Location_X="29.8", Label="中心路3号", MsgId=23_457),
        xml(**event, Event="subscribe", EventKey="qrscene_region:330212001001", Ticket="t"),
        xml(**event, Event="unsubscribe", EventKey=""),
        xml(**event, Event="CLICK", EventKey="求助"),
        xml(**event, Event="TEMPLATESENDJOBFINISH", MsgID=200_163_836, Status="failed:user block"),
    ]


def said_to_the_app() -> list[str]:
    head = {**heads(CORPID, "ZhangSan"), "AgentID": 1_000_002}
    card = {"Event": "template_card_event", "EventKey": "1", "TaskId": "7-12-1", "SelectedItems": {"SelectedItem": "a"}}
    return [
        xml(**head, MsgType="text", Content="收到", MsgId=23_456),
        xml(**head, MsgType="event", **card),
        xml(**head, MsgType="event", Event="enter_agent", EventKey=""),
    ]


def answered(result: CallbackResult) -> object:
    """Everything of a call is used: what it carried, and the answer in words."""
    words = b"" if result.say is None else result.say("请发送手机号码").body
    return [*result.receipts, *result.replies, *result.follows, words]


Read: TypeAlias = Callable[[Mapping[str, str], bytes], CallbackResult]


def the_account(*, is_sealed: bool = True) -> Read:
    options = OfficialOptions.read(settings("official", 1, **({} if is_sealed else {"aes_key": None})))
    door = options.door(lambda: NOW)
    assert door is not None
    return OfficialCallback(door, OpenDoor(TOKEN, lambda: NOW)).read


def the_app() -> Read:
    door = WecomOptions.read(settings("wecom", 1)).door(lambda: NOW)
    assert door is not None
    return WecomCallback(door).read


def notices() -> Decoder:
    """What stands in a notice, where it is not sealed."""
    read = the_account(is_sealed=False)

    def decode(frame: bytes) -> object:
        return answered(read(plain(SECONDS), frame))

    examples = [one.encode() for one in said_to_the_account()]
    return Decoder("wechat notice", decode, examples, REFUSALS, well_formed, TOKENS)


def well_formed(frame: bytes) -> bytes:
    """What is left of a notice's elements, as XML again: damaged names and texts get behind the parser."""
    found = re.findall(rb"<([A-Za-z]{1,30})>(?:<!\[CDATA\[)?([^<\]]*)", frame)
    elements = b"".join(b"<%b><![CDATA[%b]]></%b>" % (name, text, name) for name, text in found if name != b"xml")
    return b"<xml>" + elements.decode("utf-8", "ignore").translate(_CONTROLS).encode() + b"</xml>"


_CONTROLS = dict.fromkeys(range(32)) | dict.fromkeys((0xFFFE, 0xFFFF))


def envelopes(name: str, read: Read, owner: str, said: list[str]) -> Decoder:
    """What is sealed, in its envelope; signed rightly whatever it is, as by somebody who knows the token alone."""

    def decode(frame: bytes) -> object:
        found = re.search(rb"<Encrypt><!\[CDATA\[(.*?)\]\]></Encrypt>", frame, re.DOTALL)
        return answered(read(signed(found[1].decode("utf-8", "replace") if found else ""), frame))

    examples = [sealed(one, owner, SECONDS)[1] for one in said]
    return Decoder(name, decode, examples, REFUSALS, None, TOKENS)


def contents(name: str, read: Read, owner: str, said: list[str]) -> Decoder:
    """What comes out of the seal: lengths, owner and content are damaged before it is sealed with the right key."""

    def decode(frame: bytes) -> object:
        cut = closed(frame)
        return answered(read(signed(cut), f"<xml><Encrypt>{cut}</Encrypt></xml>".encode()))

    def inside(content: bytes) -> bytes:
        return b"r" * 16 + len(content).to_bytes(4, "big") + content + owner.encode()

    def mend(frame: bytes) -> bytes:
        return inside(well_formed(frame[20 : -len(owner)]))

    examples = [inside(one.encode()) for one in said]
    return Decoder(name, decode, examples, REFUSALS, mend, TOKENS, memory=Bound(128 * 1024, 64))


def signed(cut: str) -> dict[str, str]:
    return {"timestamp": str(SECONDS), "nonce": "n", "msg_signature": sign(TOKEN, str(SECONDS), "n", cut)}


def closed(inside: bytes) -> str:
    """`inside` encrypted as it is, only padded."""
    key = key_of(AES_KEY)
    padding = 32 - len(inside) % 32
    cipher = Cipher(AES256(key), CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(inside + bytes([padding]) * padding) + cipher.finalize()).decode()


def ciphertexts() -> Decoder:
    """What is given to the seal, down to its last octet."""
    seal = Seal(key_of(AES_KEY), APPID)
    examples = [seal.close(one.encode()).encode() for one in said_to_the_account()]
    return Decoder("wechat seal", lambda frame: seal.open(frame.decode("latin-1")), examples, REFUSALS)


def answers(name: str, provider: Provider, examples: list[bytes]) -> Decoder:
    """What a platform answers to a message."""
    key, expires = DeliveryKey(7, 1, 1), NOW + timedelta(hours=1)
    group = [Envelope(key, ADDRESS[name].format(1), MESSAGE, 0, expires)]
    tokens = [b'"errcode":', b"42001", b"-1", b"null", b"[" * 50, b"1e999", b'"msgid":']
    return Decoder(f"{name} answer", lambda frame: provider.read(group, Answer(200, frame)), examples, (NonsenseError,),
                   None, tokens)  # fmt: skip


def official_answers() -> Decoder:
    provider = Official(OfficialOptions.read(settings("official", 1)))
    good = b'{"errcode":0,"errmsg":"ok","msgid":200228332}'
    return answers("official", provider, [good, b'{"errcode":40003,"errmsg":"invalid openid rid: 1"}'])


def wecom_answers() -> Decoder:
    provider = Wecom(WecomOptions.read(settings("wecom", 1)))
    good = b'{"errcode":0,"errmsg":"ok","invaliduser":"a|member1","unlicenseduser":"","msgid":"m","response_code":"r"}'
    return answers("wecom", provider, [good, b'{"errcode":81013,"errmsg":"all invalid"}'])


def robot_answers() -> Decoder:
    provider = Robot(RobotOptions.read(settings("robot", 1)), Pace(lambda: 0.0))
    return answers("robot", provider, [b'{"errcode":0,"errmsg":"ok"}', b'{"errcode":93000,"errmsg":"invalid"}'])


def sealed_official() -> Decoder:
    return envelopes("official envelope", the_account(), APPID, said_to_the_account())


def sealed_wecom() -> Decoder:
    return envelopes("wecom envelope", the_app(), CORPID, said_to_the_app())


def inside_official() -> Decoder:
    return contents("official content", the_account(), APPID, said_to_the_account())


def inside_wecom() -> Decoder:
    return contents("wecom content", the_app(), CORPID, said_to_the_app())


DECODERS = (
    notices,
    sealed_official,
    sealed_wecom,
    inside_official,
    inside_wecom,
    ciphertexts,
    official_answers,
    wecom_answers,
    robot_answers,
)


@pytest.mark.parametrize("make", DECODERS)
def test_it_is_understood_or_refused(make: Callable[[], Decoder], fuzz: Fuzz) -> None:
    fuzz(make(), SHORT, OFTEN)


@pytest.mark.soak
@pytest.mark.parametrize("make", DECODERS)
def test_so_it_is_a_million_times(make: Callable[[], Decoder], fuzz: Fuzz) -> None:
    fuzz(make(), LONG, SELDOM)
