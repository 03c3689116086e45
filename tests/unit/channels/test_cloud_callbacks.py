"""What the cloud providers call us with: understood, authenticated, and harmless when it is forged or nonsense."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import CallbackResult, DeliveryKey, Evidence, ParsesCallback
from channels.cloud.plugin import CloudPlugin
from channels.sms import aliyun, tencent
from tests.contract.cloud_peer import TOKEN, settings

NOW = datetime(2026, 8, 9, 19, 0, 5, tzinfo=UTC)
PLUGINS: dict[str, CloudPlugin[Any]] = {"aliyun": aliyun.plugin, "tencent": tencent.plugin}
REPORT = {
    "phone_number": "13800000001",
    "send_time": "2026-08-10 02:59:00",
    "report_time": "2026-08-10 03:00:01",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "932702304080415357^0",
    "out_id": "7-12-1",
}
UP = {
    "phone_number": "8613800000001",
    "content": "1",
    "send_time": "2026-08-10 03:00:01",
    "dest_code": "1234",
    "sequence_id": 1234567890,
}
STATUS = {
    "user_receive_time": "2026-08-10 03:00:01",
    "nationcode": "86",
    "mobile": "13800000001",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "2019:538884",
}
SAID = {"extend": "", "mobile": "13800000001", "nationcode": "86", "sign": "某县", "text": "1", "time": 1786302001}


def parse(driver: str, body: Any, token: str | None = TOKEN) -> CallbackResult:
    plugin = replace(PLUGINS[driver], now=lambda: NOW)
    assert isinstance(plugin, ParsesCallback)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return plugin.parse(settings(driver, 1), {}, {} if token is None else {"token": token}, raw)


def test_aliyun_reports_name_our_key_and_its_own_id() -> None:
    failed = {**REPORT, "success": False, "err_code": "MOBILE_NOT_ON_SERVICE", "err_msg": "13800000001 停机"}
    found = parse("aliyun", [REPORT, failed])
    good, bad = found.receipts
    assert (good.ref, good.key, good.evidence, good.reason) == (
        "932702304080415357^0",
        DeliveryKey(7, 12, 1),
        Evidence.DELIVERED,
        "",
    )
    assert good.at == datetime(2026, 8, 9, 19, 0, 1, tzinfo=UTC)
    assert bad.evidence is Evidence.FAILED
    assert bad.reason == "MOBILE_NOT_ON_SERVICE *** 停机"
    assert (found.status, json.loads(found.body)) == (200, {"code": 0, "msg": "接收成功"})


@pytest.mark.parametrize("sequence", [1234567890, "1234567890"])
def test_aliyun_replies_keep_their_sequence_id(sequence: int | str) -> None:
    (reply,) = parse("aliyun", [{**UP, "sequence_id": sequence}]).replies
    assert (reply.id, reply.address, reply.text) == ("1234567890", "13800000001", "1")
    assert reply.at == datetime(2026, 8, 9, 19, 0, 1, tzinfo=UTC)


def test_aliyun_reports_without_our_key_count_by_their_id() -> None:
    for out_id in ("", "abc", "1-2", "-1--2-3", "1-2-3-4", "９-1-1", "9" * 50):
        (receipt,) = parse("aliyun", [{**REPORT, "out_id": out_id}]).receipts
        assert receipt.key is None, out_id
        assert receipt.ref == REPORT["biz_id"]


def test_aliyun_notices_of_another_kind_are_refused_alone_and_passed_over_among_others() -> None:
    notice = {"template_code": "SMS_1", "template_status": "approved"}
    with pytest.raises(InputError, match="SmsReport"):
        parse("aliyun", [notice])
    assert len(parse("aliyun", [notice, REPORT]).receipts) == 1
    assert parse("aliyun", []).status == 200


def test_tencent_reports_name_the_serial_number() -> None:
    failed = {**STATUS, "report_status": "FAIL", "errmsg": "MK:0001", "description": "空号 13800000001"}
    good, bad = parse("tencent", [STATUS, failed]).receipts
    assert (good.ref, good.key, good.evidence) == ("2019:538884", None, Evidence.DELIVERED)
    assert good.at == datetime(2026, 8, 9, 19, 0, 1, tzinfo=UTC)
    assert (bad.evidence, bad.reason) == (Evidence.FAILED, "MK:0001 空号 ***")


def test_a_tencent_reply_that_comes_again_is_the_same_and_another_one_is_not() -> None:
    found = parse("tencent", SAID)
    (reply,) = found.replies
    assert (reply.address, reply.text, reply.at) == ("13800000001", "1", datetime(2026, 8, 9, 19, 0, 1, tzinfo=UTC))
    assert json.loads(found.body) == {"result": 0, "errmsg": "OK"}
    assert parse("tencent", SAID).replies[0].id == reply.id
    others = [{**SAID, "text": "2"}, {**SAID, "time": 1786302000}, {**SAID, "mobile": "13800000002"}]
    assert len({parse("tencent", other).replies[0].id for other in others} | {reply.id}) == 4


@pytest.mark.parametrize("driver", PLUGINS)
def test_a_time_that_is_none_or_not_yet_is_when_it_came(driver: str) -> None:
    for written in ("2199-01-01 00:00:00", "0001-01-01 00:00:00x", "yesterday", ""):
        report = (
            [{**REPORT, "report_time": written}] if driver == "aliyun" else [{**STATUS, "user_receive_time": written}]
        )
        assert parse(driver, report).receipts[0].at == NOW
    assert parse("tencent", {**SAID, "time": 10**30}).replies[0].at == NOW


@pytest.mark.parametrize("driver", PLUGINS)
@pytest.mark.parametrize("token", [None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\ud800", "令牌"])
def test_a_forged_callback_is_not_even_read(driver: str, token: str | None) -> None:
    with pytest.raises(UnauthenticatedError):
        parse(driver, b"\xff not json", token)


@pytest.mark.parametrize("driver", PLUGINS)
def test_a_gateway_without_a_token_takes_no_callbacks(driver: str) -> None:
    gateway = settings(driver, 1, callback_token=None)
    with pytest.raises(UnauthenticatedError):
        PLUGINS[driver].parse(gateway, {}, {"token": ""}, b"[]")


@pytest.mark.parametrize("driver", PLUGINS)
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["out_id", "sid", "time"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*REPORT, *UP, *STATUS, *SAID]), inner),
        max_leaves=12,
    )
)
def test_nonsense_is_refused_and_nothing_worse(driver: str, body: Any) -> None:
    with contextlib.suppress(InputError):
        found = parse(driver, body)
        assert all(one.at.tzinfo is not None for one in found.receipts)
        assert all(one.at.tzinfo is not None for one in found.replies)


@pytest.mark.parametrize("driver", PLUGINS)
def test_a_deep_body_is_refused(driver: str) -> None:
    with pytest.raises(InputError):
        parse(driver, b"[" * 100_000)
