"""What WeChat's platforms tell us, sealed by wechatpy: only theirs gets in, and it is understood."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import (
    CallbackResult,
    DeliveryKey,
    Evidence,
    GatewaySettings,
    Invites,
    OnPlatform,
    ParsesCallback,
)
from channels.wechat.callback.door import sign
from channels.wechat.callback.seal import Seal, key_of
from channels.wechat.official import plugin as official
from channels.wechat.wecom import plugin as wecom
from tests.contract.wechat_peer import settings
from tests.harness.wechat_notice import (
    ACCOUNT,
    AES_KEY,
    APPID,
    CORPID,
    CRYPTO,
    TOKEN,
    opened,
    plain,
    plain_signature,
    sealed,
    xml,
)

NOW = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
OPENID = "oDaohuRehearsal0000000000001"
OFFICIAL = replace(official, now=lambda: NOW)
WECOM = replace(wecom, now=lambda: NOW)
SAFE = settings("official", 1)
PLAIN = settings("official", 1, aes_key=None)
CORP = settings("wecom", 1)


def notice(**texts: object) -> str:
    return xml(ToUserName=ACCOUNT, FromUserName=OPENID, CreateTime=SECONDS, **texts)


def corporate(**texts: object) -> str:
    return xml(ToUserName=CORPID, FromUserName="ZhangSan", CreateTime=SECONDS, AgentID=1000002, **texts)


def told(query: Mapping[str, str], body: bytes, gateway: GatewaySettings = SAFE) -> CallbackResult:
    return OFFICIAL.parse(gateway, {}, query, body)


def official_hears(**texts: object) -> CallbackResult:
    return told(*sealed(notice(**texts), APPID, SECONDS))


def wecom_hears(**texts: object) -> CallbackResult:
    return WECOM.parse(CORP, {}, *sealed(corporate(**texts), CORPID, SECONDS))


def test_the_plugins_are_what_the_core_looks_for() -> None:
    assert isinstance(official, ParsesCallback)
    assert isinstance(official, Invites)
    assert isinstance(official, OnPlatform)
    assert isinstance(wecom, ParsesCallback)
    assert not isinstance(wecom, Invites)


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 31, 32, 33, 1000, 40_000])
def test_what_we_seal_the_platform_opens_and_the_other_way_round(size: int) -> None:
    content = ("预" * size).encode()[:size]
    seal = Seal(key_of(AES_KEY), APPID)
    assert seal.open(seal.close(content)) == content
    answer = official_hears(MsgType="text", Content="1", MsgId=1).say
    assert answer is not None
    words = "好" * size
    assert opened(answer(words).body, APPID).get("Content") == (words or None)


def test_words_that_xml_cannot_hold_do_not_spoil_an_answer() -> None:
    answer = official_hears(MsgType="text", Content="1", MsgId=1).say
    assert answer is not None
    assert opened(answer("a\x00\x1b\ud800<&>\ufffe二\U0001f600").body, APPID)["Content"] == "a<&>二\U0001f600"


def test_a_receipt_says_delivered_or_why_not() -> None:
    event = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 200163836}
    (receipt,) = official_hears(**event, Status="success").receipts
    assert (receipt.ref, receipt.key, receipt.evidence, receipt.at) == ("200163836", None, Evidence.DELIVERED, NOW)
    (blocked,) = official_hears(**event, Status="failed:user block").receipts
    assert (blocked.evidence, blocked.reason) == (Evidence.FAILED, "failed:user block 用户拒收")
    (failed,) = official_hears(**event, Status="failed: system failed").receipts
    assert (failed.evidence, failed.reason) == (Evidence.FAILED, "failed: system failed 微信平台发送失败")
    assert official_hears(**event, Status="success").body == b"success"


def test_a_text_a_pressed_menu_and_a_picture_are_replies() -> None:
    (text,) = official_hears(MsgType="text", Content="收到 ]]> <b>", MsgId=23_456).replies
    assert (text.id, text.address, text.text, text.at) == ("23456", OPENID, "收到 ]]> <b>", NOW)
    (menu,) = official_hears(MsgType="event", Event="CLICK", EventKey="求助").replies
    assert (menu.text, len(menu.id)) == ("求助", 64)
    assert official_hears(MsgType="event", Event="CLICK", EventKey="求助").replies[0].id == menu.id
    assert official_hears(MsgType="event", Event="CLICK", EventKey="收到").replies[0].id != menu.id
    (picture,) = official_hears(MsgType="image", MediaId="x", MsgId=23_457).replies
    assert picture.text == "〔图片〕"
    (place,) = official_hears(MsgType="location", Label="中心路3号", MsgId=23_458).replies
    assert place.text == "〔位置〕中心路3号"
    assert official_hears(MsgType="event", Event="VIEW", EventKey="https://example.org").replies == ()


@pytest.mark.parametrize(
    ("texts", "follows", "scene"),
    [
        ({"Event": "subscribe", "EventKey": "qrscene_region:330212001001", "Ticket": "t"}, True, "region:330212001001"),
        ({"Event": "subscribe", "EventKey": ""}, True, ""),
        ({"Event": "SCAN", "EventKey": "region:330212001001", "Ticket": "t"}, True, "region:330212001001"),
        ({"Event": "unsubscribe", "EventKey": ""}, False, ""),
    ],
)
def test_following_and_leaving_are_told_with_the_code_that_was_scanned(
    texts: dict[str, str], follows: bool, scene: str
) -> None:
    (follow,) = official_hears(MsgType="event", **texts).follows
    assert (follow.address, follow.follows, follow.scene, follow.at) == (OPENID, follows, scene, NOW)


def test_a_button_answers_the_delivery_of_its_card_and_says_that_it_was_pressed() -> None:
    event = {"MsgType": "event", "Event": "template_card_event", "EventKey": "1", "CardType": "button_interaction"}
    result = wecom_hears(**event, TaskId="7-12-2", ResponseCode="r")
    (reply,) = result.replies
    assert (reply.address, reply.text, reply.key) == ("wecom:zhangsan", "1", DeliveryKey(7, 12, 2))
    assert opened(result.body, CORPID)["MsgType"] == "update_button"
    assert opened(result.body, CORPID)["Button"] == {"ReplaceName": "已提交"}
    for foreign in ("", "approval-17", "1-2", "１-２-３", "9" * 5000 + "-1-1"):
        assert wecom_hears(**event, TaskId=foreign).replies == ()


def test_a_member_writes() -> None:
    (reply,) = wecom_hears(MsgType="text", Content="收到", MsgId=1234).replies
    assert (reply.id, reply.address, reply.text, reply.key) == ("1234", "wecom:zhangsan", "收到", None)
    assert wecom_hears(MsgType="event", Event="enter_agent", EventKey="").replies == ()


def test_the_platforms_test_of_our_address_is_answered() -> None:
    for gateway in (SAFE, PLAIN):
        assert told({**plain(SECONDS), "echostr": "5181818715"}, b"", gateway).body == b"5181818715"
    with pytest.raises(UnauthenticatedError):
        told({**plain(SECONDS), "signature": "0" * 40, "echostr": "1"}, b"")


def test_wecoms_test_of_our_address_is_answered_with_what_was_sealed() -> None:
    echo = CRYPTO[CORPID](TOKEN, AES_KEY, CORPID).encrypt_message("1616140317555161061", "n", str(SECONDS))
    cut = echo.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    query = {"timestamp": str(SECONDS), "nonce": "n", "echostr": cut}
    right = {**query, "msg_signature": sign(TOKEN, str(SECONDS), "n", cut)}
    assert WECOM.parse(CORP, {}, right, b"").body == b"1616140317555161061"
    with pytest.raises(UnauthenticatedError):
        WECOM.parse(CORP, {}, {**query, "msg_signature": "0" * 40}, b"")


def test_plain_calls_get_in_only_where_no_key_is_set() -> None:
    body = notice(MsgType="text", Content="1", MsgId=9).encode()
    assert told(plain(SECONDS), body, PLAIN).replies[0].text == "1"
    with pytest.raises(UnauthenticatedError):
        told(plain(SECONDS), body, SAFE)


def test_of_the_compatible_mode_only_the_sealed_half_is_believed() -> None:
    query, body = sealed(notice(MsgType="text", Content="1", MsgId=9), APPID, SECONDS)
    forged = body.replace(b"<xml>", b"<xml><MsgType>text</MsgType><Content>9</Content><MsgId>10</MsgId>", 1)
    assert [(one.id, one.text) for one in told(query, forged).replies] == [("9", "1")]


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24 * 365])
def test_a_recording_of_an_old_call_is_refused(minutes: int) -> None:
    query, body = sealed(notice(MsgType="text", Content="1", MsgId=9), APPID, SECONDS)
    late = replace(official, now=lambda: NOW + timedelta(minutes=minutes))
    with pytest.raises(UnauthenticatedError):
        late.parse(SAFE, {}, query, body)
    with pytest.raises(UnauthenticatedError):
        late.parse(PLAIN, {}, plain(SECONDS), notice(MsgType="text", Content="1", MsgId=9).encode())
    within = replace(official, now=lambda: NOW + timedelta(minutes=4))
    assert within.parse(SAFE, {}, query, body).replies


def test_what_was_sealed_for_another_account_is_refused() -> None:
    query, body = sealed(notice(MsgType="text", Content="1", MsgId=9), APPID, SECONDS)
    other = settings("official", 1, appid="wx0000000000000000")
    with pytest.raises(UnauthenticatedError):
        told(query, body, other)


@pytest.mark.parametrize("changed", ["timestamp", "nonce", "msg_signature"])
def test_a_changed_query_is_refused(changed: str) -> None:
    query, body = sealed(notice(MsgType="text", Content="1", MsgId=9), APPID, SECONDS)
    for value in ("", "1", "é", query[changed] + "0"):
        with pytest.raises(UnauthenticatedError):
            told({**query, changed: value}, body)


@pytest.mark.parametrize("time", ["", "soon", "-1", "1e9", "99999999999999999999", "٣"])
def test_a_signed_call_without_a_time_is_refused(time: str) -> None:
    query = {"timestamp": time, "nonce": "n", "signature": plain_signature(time, "n")}
    with pytest.raises(UnauthenticatedError):
        told(query, notice(MsgType="text", Content="1", MsgId=9).encode(), PLAIN)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00",
        b"x" * 15,
        b"x" * 16,
        b"x" * 4096,
    ],
)
def test_a_ciphertext_that_is_none_is_refused_and_nothing_else_happens(damage: bytes) -> None:
    with pytest.raises(UnauthenticatedError):
        Seal(key_of(AES_KEY), APPID).open(base64.b64encode(damage).decode())
    for text in ("", "!", "é" * 20, "A"):
        with pytest.raises(UnauthenticatedError):
            Seal(key_of(AES_KEY), APPID).open(text)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml>",
        b"hello",
        b'<?xml version="1.0" encoding="nowhere"?><xml/>',
        b'<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><xml><Content>&b;</Content></xml>',
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        b"<xml>" + b"<a>" * 5000,
        b"<xml>" + b"<a/>" * 5000 + b"</xml>",
        b"<xml><Content>" + b"x" * 70_000 + b"</Content></xml>",
    ],
)
def test_xml_that_is_none_or_too_much_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        told(plain(SECONDS), body, PLAIN)


@pytest.mark.parametrize(
    "texts",
    [
        {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "", "Status": "success"},
        {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "1", "Status": ""},
    ],
)
def test_a_receipt_about_nothing_is_refused(texts: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        official_hears(**texts)


def test_who_is_no_follower_of_ours_says_nothing() -> None:
    body = xml(ToUserName=ACCOUNT, FromUserName="system", CreateTime=SECONDS, MsgType="text", Content="1", MsgId=1)
    result = told(*sealed(body, APPID, SECONDS))
    assert (result.replies, result.follows, result.body) == ((), (), b"success")


def test_a_gateway_without_a_token_takes_no_calls() -> None:
    deaf = settings("official", 1, token=None, aes_key=None)
    with pytest.raises(UnauthenticatedError):
        told({**plain(SECONDS), "echostr": "1"}, b"", deaf)
