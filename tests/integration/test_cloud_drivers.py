"""The cloud providers' drivers against providers in other processes: signatures, templates, codes, reports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from alibabacloud_openapi_util.client import Client as AliyunUtil
from Tea.request import TeaRequest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    Driver,
    Envelope,
    Message,
    Outcome,
    Rejected,
    Unknown,
)
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.cloud.plugin import CloudPlugin
from channels.sms import aliyun, tencent
from tests.contract.cloud_peer import KEYS, TEXT, settings
from tests.harness import aliyun_cloud, tencent_cloud
from tests.harness.cloud import PROVIDERS, CloudProcess, running_cloud

PLUGINS: dict[str, CloudPlugin[Any]] = {"aliyun": aliyun.plugin, "tencent": tencent.plugin}
SECRETS = {"aliyun": "access_key_secret", "tencent": "secret_key"}
NUMBER = "13800000001"


@pytest.fixture(scope="module")
def clouds() -> Iterator[dict[str, CloudProcess]]:
    with running_cloud("aliyun") as one, running_cloud("tencent") as other:
        yield {"aliyun": one, "tencent": other}


@pytest.fixture(params=list(PROVIDERS))
async def cloud(
    request: pytest.FixtureRequest, clouds: dict[str, CloudProcess]
) -> AsyncIterator[tuple[str, CloudProcess]]:
    process = clouds[request.param]
    yield request.param, process
    await process.play("willing")
    await process.ask("forget")


def envelope(ordinal: int = 1, text: str = TEXT, address: str = NUMBER) -> Envelope:
    return Envelope(DeliveryKey(7, ordinal, 1), address, Message(text), 0, datetime.now(UTC) + timedelta(hours=1))


async def sent(driver: Driver, *batch: Envelope) -> list[Outcome]:
    return [outcome async for outcome in driver.send(batch)]


@asynccontextmanager
async def connected(name: str, cloud: CloudProcess, **options: object) -> AsyncIterator[tuple[Driver, MemoryJournal]]:
    journal = MemoryJournal()
    driver = PLUGINS[name].build(settings(name, cloud.port, **options), journal)
    await driver.open(MemoryInbox())
    try:
        yield driver, journal
    finally:
        await driver.close()


async def test_the_reader_gets_the_text_that_was_approved_to_the_letter(cloud: tuple[str, CloudProcess]) -> None:
    name, process = cloud
    async with connected(name, process) as (driver, _):
        (outcome,) = await sent(driver, envelope())
    assert isinstance(outcome, Accepted)
    assert outcome.ref
    taken = (await process.taken())[-1]
    assert taken == {"key": "7-1-1", "number": NUMBER, "text": TEXT}


async def test_a_text_that_no_template_says_is_rejected_and_nothing_is_sent(cloud: tuple[str, CloudProcess]) -> None:
    name, process = cloud
    before = len(await process.taken())
    async with connected(name, process) as (driver, _):
        for text, why in (("台风来了", "不相符"), (TEXT.replace("转移", "转" * 500), "500 字")):
            (outcome,) = await sent(driver, envelope(text=text))
            assert isinstance(outcome, Rejected)
            assert why in outcome.reason
    assert len(await process.taken()) == before


CODES: list[tuple[str, str, type[Outcome], float | None]] = [
    ("aliyun", "isv.MOBILE_NUMBER_ILLEGAL", Rejected, None),
    ("aliyun", "isv.PARAM_LENGTH_LIMIT", Rejected, None),
    ("aliyun", "isv.BLACK_KEY_CONTROL_LIMIT", Rejected, None),
    ("aliyun", "isv.BUSINESS_LIMIT_CONTROL", Deferred, 60),
    ("aliyun", "isv.DAY_LIMIT_CONTROL", Deferred, 30),
    ("aliyun", "isv.AMOUNT_NOT_ENOUGH", Deferred, 30),
    ("aliyun", "isv.OUT_OF_SERVICE", Deferred, 30),
    ("aliyun", "isv.SMS_SIGNATURE_ILLEGAL", Deferred, 30),
    ("aliyun", "isv.SMS_TEMPLATE_ILLEGAL", Deferred, 30),
    ("aliyun", "isv.SOMETHING_NEW", Deferred, 30),
    ("aliyun", "InvalidAccessKeyId.Inactive", Deferred, 30),
    ("aliyun", "Throttling.Api", Deferred, 1),
    ("aliyun", "isp.SYSTEM_ERROR", Unknown, None),
    ("aliyun", "ServiceUnavailable", Unknown, None),
    ("tencent", "InvalidParameterValue.IncorrectPhoneNumber", Rejected, None),
    ("tencent", "FailedOperation.PhoneNumberInBlacklist", Rejected, None),
    ("tencent", "LimitExceeded.PhoneNumberThirtySecondLimit", Deferred, 30),
    ("tencent", "LimitExceeded.PhoneNumberDailyLimit", Deferred, 60),
    ("tencent", "LimitExceeded.AppDailyLimit", Deferred, 30),
    ("tencent", "FailedOperation.InsufficientBalanceInSmsPackage", Deferred, 30),
    ("tencent", "FailedOperation.SignatureIncorrectOrUnapproved", Deferred, 30),
    ("tencent", "FailedOperation.TemplateIncorrectOrUnapproved", Deferred, 30),
    ("tencent", "UnauthorizedOperation.SerivceSuspendDueToArrears", Deferred, 30),
    ("tencent", "AuthFailure.SignatureExpire", Deferred, 30),
    ("tencent", "SomethingNew.Entirely", Deferred, 30),
    ("tencent", "RequestLimitExceeded.UinLimitExceeded", Deferred, 1),
    ("tencent", "InternalError.Timeout", Unknown, None),
    ("tencent", "ServiceUnavailable", Unknown, None),
]


@pytest.mark.parametrize(("name", "code", "kind", "after"), CODES)
async def test_a_code_means_what_the_provider_says(
    name: str, code: str, kind: type[Outcome], after: float | None, clouds: dict[str, CloudProcess]
) -> None:
    process = clouds[name]
    async with connected(name, process) as (driver, _):
        await process.play("refusing", code=code)
        try:
            (outcome,) = await sent(driver, envelope())
        finally:
            await process.play("willing")
    assert type(outcome) is kind, outcome
    assert getattr(outcome, "after", None) == after
    assert code in getattr(outcome, "reason", "")


@pytest.mark.parametrize(("name", "code"), [("aliyun", "Unheard"), ("tencent", "Unheard")])
async def test_a_code_that_nobody_knows_with_a_fault_of_the_providers_own_leaves_it_open(
    name: str, code: str, clouds: dict[str, CloudProcess]
) -> None:
    async with connected(name, clouds[name]) as (driver, _):
        await clouds[name].play("refusing", code=code, status=500)
        try:
            (outcome,) = await sent(driver, envelope())
        finally:
            await clouds[name].play("willing")
    assert isinstance(outcome, Unknown)


async def test_arrears_defer_the_whole_batch_and_are_asked_about_once(clouds: dict[str, CloudProcess]) -> None:
    process = clouds["aliyun"]
    async with connected("aliyun", process, window=1) as (driver, journal):
        await process.play("refusing", code="isv.OUT_OF_SERVICE")
        try:
            found = await sent(driver, *(envelope(ordinal) for ordinal in range(1, 51)))
        finally:
            await process.play("willing")
    assert all(isinstance(outcome, Deferred) and outcome.after == 30 for outcome in found)
    assert sum("SendSms" in line for line in journal.lines) == 1


async def test_a_number_that_got_too_much_holds_nobody_else_back(clouds: dict[str, CloudProcess]) -> None:
    process = clouds["aliyun"]
    async with connected("aliyun", process, window=1) as (driver, journal):
        await process.play("refusing", code="isv.BUSINESS_LIMIT_CONTROL")
        try:
            await sent(driver, envelope(1), envelope(2))
        finally:
            await process.play("willing")
    assert sum("SendSms" in line for line in journal.lines) == 2


async def test_a_wrong_secret_does_not_open(cloud: tuple[str, CloudProcess]) -> None:
    name, process = cloud
    with pytest.raises(UnavailableError, match=r"签名不符|密钥校验失败"):
        async with connected(name, process, **{SECRETS[name]: "wrong"}):
            pass


@pytest.mark.parametrize("minutes", [-20, 20])
async def test_a_wrong_clock_does_not_open_and_says_so(cloud: tuple[str, CloudProcess], minutes: int) -> None:
    name, process = cloud
    late = replace(PLUGINS[name], now=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    driver = late.build(settings(name, process.port), MemoryJournal())
    with pytest.raises(UnavailableError, match="时钟"):
        await driver.open(MemoryInbox())


async def test_a_template_that_is_not_approved_or_says_something_else_does_not_open(
    cloud: tuple[str, CloudProcess],
) -> None:
    name, process = cloud
    code = {"aliyun": aliyun_cloud.TEMPLATE, "tencent": tencent_cloud.TEMPLATE}[name]
    other = f"{code}9"
    await process.ask("template", code=other, content="您好{1}" if name == "tencent" else "您好${x}", approved=False)
    with pytest.raises(UnavailableError, match="没有通过审核"):
        async with connected(name, process, templates={other: "您好"}):
            pass
    await process.ask("template", code=other, content="您好，再见")
    with pytest.raises(UnavailableError, match="内容与网关设置中写的不同"):
        async with connected(name, process, templates={other: "您好"}):
            pass
    with pytest.raises(UnavailableError):
        async with connected(name, process, templates={f"{code}8": "您好"}):
            pass


async def test_an_account_that_may_only_send_opens_and_says_what_was_not_checked(
    cloud: tuple[str, CloudProcess],
) -> None:
    name, process = cloud
    await process.play("not looking")
    async with connected(name, process) as (driver, journal):
        assert isinstance((await sent(driver, envelope()))[0], Accepted)
    assert any("未核对模板" in line for line in journal.lines)


async def test_the_journal_names_no_number_no_word_and_no_secret(cloud: tuple[str, CloudProcess]) -> None:
    name, process = cloud
    async with connected(name, process) as (driver, journal):
        await sent(driver, envelope(), envelope(2, address="19900000000"))
        await process.play("babbling")
        await sent(driver, envelope(3))
        await process.play("cutting")
        await sent(driver, *(envelope(ordinal) for ordinal in range(4, 10)))
    text = "\n".join(journal.lines)
    assert "7-1-1" in text
    for secret in (NUMBER, "19900000000", "台风", "%E5", str(KEYS[name][SECRETS[name]])):
        assert secret not in text, secret


async def test_a_failed_report_is_told_with_its_reason_and_without_the_number(cloud: tuple[str, CloudProcess]) -> None:
    name, process = cloud
    report = {"aliyun": {"report": "MOBILE_NOT_ON_SERVICE"}, "tencent": {"report": "MK:0001"}}[name]
    bodies: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(request: aiohttp.web.Request) -> aiohttp.web.Response:
        bodies.put_nowait(await request.read())
        return aiohttp.web.json_response({"code": 0, "result": 0, "errmsg": "OK"})

    app = aiohttp.web.Application()
    app.router.add_post("/", take)
    runner = aiohttp.web.AppRunner(app, access_log=None)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await process.ask("call back", address=f"http://127.0.0.1:{runner.addresses[0][1]}/")
        await process.play("willing", **report)
        async with connected(name, process) as (driver, _):
            (outcome,) = await sent(driver, envelope())
        body = await asyncio.wait_for(bodies.get(), 60)
    finally:
        await runner.cleanup()
    (receipt,) = PLUGINS[name].reading(body, datetime.now(UTC)).receipts
    assert isinstance(outcome, Accepted)
    assert receipt.ref == outcome.ref
    assert receipt.reason.startswith(report["report"])
    assert NUMBER not in receipt.reason


async def test_the_providers_own_package_is_understood_by_the_provider_of_the_tests(
    clouds: dict[str, CloudProcess],
) -> None:
    """So what it verifies is what the real one verifies: Tencent Cloud's client, unchanged."""
    process = clouds["tencent"]
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=f"127.0.0.1:{process.port}"))
    credential = Credential(tencent_cloud.SECRET_ID, tencent_cloud.SECRET_KEY)
    client = CommonClient("sms", "2021-01-11", credential, "ap-guangzhou", profile=profile)
    parameters = {
        "PhoneNumberSet": [f"+86{NUMBER}"],
        "SmsSdkAppId": tencent_cloud.APP_ID,
        "SignName": tencent_cloud.SIGN,
        "TemplateId": tencent_cloud.TEMPLATE,
        "TemplateParamSet": ["a", "b", "c", "d", "e"],
        "SessionContext": "by-their-package",
    }
    answer = await asyncio.to_thread(client.call_json, "SendSms", parameters)
    assert answer["Response"]["SendStatusSet"][0]["Code"] == "Ok"
    assert (await process.taken())[-1]["key"] == "by-their-package"


async def test_a_request_signed_by_the_providers_package_is_understood_too(clouds: dict[str, CloudProcess]) -> None:
    """Alibaba Cloud's own signature, over the same request that its client makes: parameters in the query."""
    process = clouds["aliyun"]
    asked = TeaRequest()
    asked.method, asked.pathname = "POST", "/"
    asked.query = {
        "OutId": "by-their-package",
        "PhoneNumbers": NUMBER,
        "SignName": aliyun_cloud.SIGN,
        "TemplateCode": aliyun_cloud.TEMPLATE,
        "TemplateParam": json.dumps(dict.fromkeys(("title", "issued", "place", "action", "code"), "a b+c*~/")),
    }
    hashed = AliyunUtil.hex_encode(AliyunUtil.hash(b"", "ACS3-HMAC-SHA256"))
    asked.headers = {
        "host": f"127.0.0.1:{process.port}",
        "x-acs-action": "SendSms",
        "x-acs-version": "2017-05-25",
        "x-acs-date": AliyunUtil.get_timestamp(),
        "x-acs-signature-nonce": "a-nonce-of-their-package",
        "x-acs-content-sha256": hashed,
    }
    asked.headers["Authorization"] = AliyunUtil.get_authorization(
        asked, "ACS3-HMAC-SHA256", hashed, aliyun_cloud.KEY_ID, aliyun_cloud.SECRET
    )
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{process.port}/"
        async with session.post(url, params=asked.query, headers=asked.headers) as response:
            assert (await response.json())["Code"] == "OK"
        async with session.post(url, params=asked.query, headers=asked.headers) as response:
            assert (await response.json())["Code"] == "SignatureNonceUsed", "a replayed request is not taken"


WRONG: Sequence[tuple[str, str, object]] = [
    ("aliyun", "templates", {}),
    ("aliyun", "templates", {"SMS_1": ""}),
    ("aliyun", "templates", {"SMS_1": "${a}和${a}"}),
    ("aliyun", "templates", {"SMS_1": "长" * 501}),
    ("aliyun", "sign", "【某县】"),
    ("aliyun", "access_key_id", "with space"),
    ("aliyun", "variable_max", 0),
    ("aliyun", "callback_token", "short"),
    ("aliyun", "host", "dysmsapi.aliyuncs.com/path"),
    ("aliyun", "secret_id", "x"),
    ("tencent", "templates", {"SMS_1": "您好"}),
    ("tencent", "templates", {"1110": "{1}和{3}"}),
    ("tencent", "app_id", "app"),
    ("tencent", "region", "ap guangzhou"),
]


@pytest.mark.parametrize(("name", "option", "value"), WRONG)
def test_a_wrong_option_is_found_at_start(name: str, option: str, value: object) -> None:
    with pytest.raises(SettingsError, match=option):
        PLUGINS[name].build(settings(name, 1, **{option: value}), MemoryJournal())
