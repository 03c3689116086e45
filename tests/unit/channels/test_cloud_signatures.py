"""Requests are signed as the providers publish it, and as their own packages do."""

from __future__ import annotations

from datetime import UTC, datetime

from alibabacloud_openapi_util.client import Client as AliyunUtil
from hypothesis import given
from hypothesis import strategies as st
from Tea.request import TeaRequest
from tencentcloud.common.sign import Sign
from yarl import URL

from channels.cloud import aliyun
from channels.sms.tencent import wire as tencent
from tests.harness import aliyun_cloud, tencent_cloud

NOW = datetime(2026, 8, 9, 19, 0, 5, tzinfo=UTC)
TEXTS = st.text(max_size=40)


def test_acs3_is_the_published_example() -> None:
    """ "V3 request structure and signature", the example with fixed parameters."""
    host = "ecs.cn-shanghai.aliyuncs.com"
    request = aliyun.Signer("YourAccessKeyId", "YourAccessKeySecret", URL(f"https://{host}"), host).request(
        "RunInstances",
        "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
        datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        "3156853299f313e23d1673dc12e1703d",
        version="2014-05-26",
    )
    assert request.headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tc3_is_the_published_example() -> None:
    """ "签名方法 v3", whose secret is published as 32 asterisks."""
    signer = tencent.Signer("AKID" + "*" * 32, "*" * 32, "cvm.tencentcloudapi.com", service="cvm")
    request = signer.request(
        URL("https://cvm.tencentcloudapi.com"),
        "DescribeInstances",
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}',
        datetime.fromtimestamp(1551113065, UTC),
        "ap-guangzhou",
        version="2017-03-12",
    )
    assert request.headers["Authorization"].endswith(
        "/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )


@given(TEXTS, TEXTS)
def test_acs3_is_what_the_providers_package_makes_of_any_text(sign: str, text: str) -> None:
    parameters = {"SignName": sign, "TemplateParam": text, "PhoneNumbers": "13800000001"}
    endpoint = URL("https://dysmsapi.aliyuncs.com")
    signer = aliyun.Signer("LTAIexample", "secret", endpoint, "dysmsapi.aliyuncs.com")
    query = "&".join(f"{name}={aliyun.quoted(value)}" for name, value in sorted(parameters.items()))
    ours = signer.request("SendSms", query, NOW, "nonce", "2017-05-25")
    theirs = TeaRequest()
    theirs.method, theirs.pathname, theirs.query = "POST", "/", parameters
    theirs.headers = {name: value for name, value in ours.headers.items() if name != "Authorization"}
    expected = AliyunUtil.get_authorization(theirs, aliyun.ALGORITHM, aliyun.EMPTY, "LTAIexample", "secret")
    assert ours.headers["Authorization"] == expected
    assert dict(ours.url.query) == parameters, "what is signed is what is asked"


@given(st.binary(max_size=200), st.text("abcdefXYZ019", min_size=1))
def test_tc3_is_what_the_providers_package_makes_of_any_body(body: bytes, secret: str) -> None:
    ours = tencent.Signer("AKIDexample", secret, "sms.tencentcloudapi.com").request(
        URL("https://sms.tencentcloudapi.com"), "SendSms", body, NOW, "ap-guangzhou"
    )
    headers = {name.lower(): value for name, value in ours.headers.items()}
    signature = tencent_cloud.signature(
        secret, "sms", int(NOW.timestamp()), "POST", "", headers, "content-type;host;x-tc-action", body
    )
    assert ours.headers["Authorization"].endswith(f"Signature={signature}")


def test_the_last_step_of_tc3_is_the_packages() -> None:
    to_sign = "TC3-HMAC-SHA256\n1551113065\n2019-02-25/cvm/tc3_request\n" + "0" * 64
    assert Sign.sign_tc3("secret", "2019-02-25", "cvm", to_sign) == tencent_cloud.step_by_step(
        "secret", "2019-02-25", "cvm", to_sign
    )


def test_the_providers_of_the_tests_compute_the_published_signatures_too() -> None:
    hashed = aliyun.EMPTY
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashed,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = [("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")]
    names = ";".join(sorted(headers))
    assert aliyun_cloud.signature("YourAccessKeySecret", "POST", "/", query, headers, names, hashed) == (
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    signed = {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"}
    assert (
        tencent_cloud.signature(
            "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "cvm", 1551113065, "POST", "", signed, "content-type;host", body
        )
        == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )
