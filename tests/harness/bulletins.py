"""What QWeather, Caiyun and the Meteorological Centre answer, written from their documents for our district."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TITLE = "鄞州区气象台发布台风红色预警信号[Ⅰ级/特别重大]"
TEXT = "鄞州区气象台2026年08月10日03时00分发布台风红色预警信号：台风“梅花”今夜登陆。"
SENT = 1_786_302_000
"""2026-08-10 03:00 in Beijing."""

QWEATHER_KEY = Ed25519PrivateKey.generate()
QWEATHER_PEM = QWEATHER_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def qweather(identifier: str = "QW1", **changes: Any) -> dict[str, Any]:
    """One alert of the Weather Alert interface."""
    return {
        "id": identifier,
        "senderName": "鄞州区气象台",
        "issuedTime": "2026-08-10T03:00+08:00",
        "messageType": {"code": "alert"},
        "eventType": {"name": "台风", "code": "1001"},
        "severity": "extreme",
        "color": {"code": "red", "red": 255, "green": 0, "blue": 0, "alpha": 1},
        "onsetTime": "2026-08-10T03:00+08:00",
        "expireTime": "2026-08-10T15:00+08:00",
        "headline": TITLE,
        "description": TEXT,
        **changes,
    }


def qweather_answer(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"metadata": {"tag": "t", "zeroResult": not entries}, "alerts": list(entries)}).encode()


def caiyun_old(identifier: str = "33021241600000_20260810030000", **changes: Any) -> dict[str, Any]:
    """One entry of v2.6."""
    return {
        "alertId": identifier,
        "pubtimestamp": SENT,
        "status": "预警中",
        "adcode": "330212",
        "location": "浙江省宁波市鄞州区",
        "province": "浙江省",
        "city": "宁波市",
        "county": "鄞州区",
        "code": "0104",
        "source": "国家预警信息发布中心",
        "title": TITLE,
        "description": TEXT,
        **changes,
    }


def caiyun_old_answer(*entries: dict[str, Any]) -> bytes:
    result = {"alert": {"status": "ok", "content": list(entries), "adcodes": []}, "realtime": {"status": "ok"}}
    return json.dumps({"status": "ok", "api_version": "v2.6", "result": result}).encode()


def caiyun_new(identifier: str = "ALERT_CN_33021241600000_20260810030000", **changes: Any) -> dict[str, Any]:
    """One entry of v3."""
    return {
        "id": identifier,
        "region_code": "CN",
        "area_code": "330212",
        "source": 1,
        "alert_type": 156110101,
        "publish_time": SENT,
        "expire_time": SENT + 43_200,
        "color": {"red": 255, "green": 0, "alpha": {"value": 1}},
        "data": [
            {"language_code": "en", "title": "Typhoon red warning", "text": "Typhoon."},
            {"language_code": "zh-CN", "title": TITLE, "text": TEXT, "name": "台风红色预警"},
        ],
        **changes,
    }


def caiyun_new_answer(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"alerts": list(entries)}).encode()


def nmc(identifier: str = "33021241600000_20260810030000", **changes: Any) -> dict[str, Any]:
    """One entry of the list."""
    return {
        "alertid": identifier,
        "issuetime": "2026/08/10 03:00",
        "title": TITLE,
        "url": f"/publish/alarm/{identifier}.html",
        "pic": "https://image.nmc.cn/assets/img/alarm/p0001004.png",
        **changes,
    }


def nmc_answer(*entries: dict[str, Any]) -> bytes:
    page = {"pageNo": 1, "pageSize": 30, "count": len(entries), "list": list(entries)}
    return json.dumps({"msg": "success", "code": 0, "data": {"page": page}}).encode()
