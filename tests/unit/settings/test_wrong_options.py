"""Wrong options of gateways, sources and instruments: told in words, in two languages, and no secret with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, get_args

import msgspec
import pytest

from broadcaster import options
from broadcaster.catalogue import ENGLISH, catalogue
from broadcaster.errors import SettingsError
from broadcaster.phrase import joined, said
from broadcaster.ports import EngineSettings, GatewaySettings, Medium
from broadcaster.registry import Registry
from broadcaster.sensing import SensorSettings
from channels.speech.engines import ENGINES, engines

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_TERMINALS = {
    "platform": "1" * 18,
    "listen": "0.0.0.0:1",
    "audio_listen": "0.0.0.0:2",
    "audio_url": "http://10.1.2.3:2",
}
_SGIP = {"host": "h", "user": "u", "password": "p", "node": 1, "source": "1", "listen": "0.0.0.0:8801"}


class _Silent:
    def note(self, direction: str, text: str) -> None:
        """Keep nothing."""


def _shapes(kind: type[msgspec.Struct] = msgspec.Struct) -> Iterator[type[msgspec.Struct]]:
    """The options of everything that is installed."""
    for group in ("broadcaster.channels", "broadcaster.adapters"):
        for entry in entry_points(group=group):
            entry.load()
    for engine in ENGINES:
        import_module(f"channels.speech.{engine}_entry")
    for one in kind.__subclasses__():
        if one.__module__.startswith(("channels", "adapters")) and one.__name__.endswith("Options"):
            yield one
        yield from _shapes(one)


SHAPES = sorted(set(_shapes()), key=lambda one: (one.__module__, one.__name__))


def _english(error: SettingsError) -> str:
    """The error in English, once it is sure that it is in Chinese and no library has spoken."""
    assert not re.search(r"Expected|Invalid|Object|does not|`", str(error)), error
    return said(joined(" ", (error.what, error.remedy)), catalogue("broadcaster.web", ENGLISH))


def _refused(channel: str, driver: str, **given: object) -> SettingsError:
    gateway = GatewaySettings("line-1", Medium(channel), driver, rate=1, options=given)
    with pytest.raises(SettingsError) as refused:
        Registry.installed().plugin(gateway.channel, driver).build(gateway, _Silent())
    return refused.value


@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_every_option_says_what_is_wanted_in_two_languages(shape: type[msgspec.Struct]) -> None:
    nonsense: dict[str, object] = {field.encode_name: {"\n": [[]]} for field in msgspec.structs.fields(shape)}
    with pytest.raises(SettingsError) as refused:
        options.read({**nonsense, "windw": 1}, shape, "entry", "host")
    assert not _CHINESE.search(_english(refused.value)), _english(refused.value)
    for name in (*nonsense, "windw"):
        assert name in refused.value.what
    for field in msgspec.structs.fields(shape):
        metas = [meta for kind in _kinds(field.type) for meta in getattr(kind, "__metadata__", ())]
        patterns = [meta for meta in metas if getattr(meta, "pattern", None)]
        assert all(meta.description for meta in patterns), f"{field.name}: nobody reads a pattern at night"


def _kinds(kind: Any) -> Iterator[Any]:
    yield kind
    for part in get_args(kind):
        yield from _kinds(part)


@pytest.mark.parametrize(
    ("channel", "driver", "given", "chinese", "english"),
    [
        ("sms", "cmpp", {"port": 70000}, "port 现为 70000，应为：1 到 65535 的整数", "port is 70000, wanted: a whole"),
        (
            "sms",
            "cmpp",
            {"source": 1069},
            "source 现为 1069，应为：1 到 21 位数字（要加引号）",
            "1 to 21 digits (in quotes)",
        ),
        ("sms", "cmpp", {"windw": 1}, "没有名为 windw 的键", "there is no key windw"),
        ("sms", "cmpp", {}, "缺少 host，应为：不为空的文本", "host is missing: a text that is not empty"),
        ("sms", "cmpp", {"user": "1234567"}, "user 现为 “1234567”，应为：不含空格的英文字符，1 到 6 个", "1 to 6 of"),
        ("sms", "cmpp", {"version": "4"}, "应为：以下之一：2.0、3.0", "one of: 2.0, 3.0"),
        (
            "sms",
            "cmpp",
            {"busy": {}},
            "busy 现为 空的表，应为：列表，每一项应为：",
            "an empty table, wanted: a list, each",
        ),
        ("sms", "cmpp", {"busy": [8, 0]}, "busy[1] 现为 0，", "busy[1] is 0"),
        ("sms", "sgip", {**_SGIP, "allow": ["here"]}, "allow 中的 “here” 不是地址或网段", "'here' in allow"),
        ("sms", "sgip", {**_SGIP, "listen": "8801"}, "listen 现为 “8801”，应为带端口的地址", "an address with a port"),
        ("sms", "rehearsal", {"address": "here"}, "“here”不是地址", "'here' is no address"),
        ("sms", "rehearsal", {"window": 0}, "缺少 address", "address is missing"),
        ("email", "smtp", {"host": "h", "sender": "s", "timeout": 0}, "大于 0、不超过 3600 的数字", "above 0, at most"),
        ("voice", "sip", {"register": "maybe"}, "register 现为 “maybe”，应为：true 或 false", "true or false"),
        ("loudspeaker", "rtp_multicast", {"interface": "eth0"}, "interface 现为 “eth0”", "interface is"),
        ("loudspeaker", "terminal_tcp", {**_TERMINALS, "audio_url": "https://h"}, "audio_url 现为", "audio_url is"),
        (
            "loudspeaker",
            "terminal_tcp",
            {"volumes": {"red": 200, "x": 1}},
            "volumes.red 现为 200",
            "volumes.red is 200",
        ),
        ("loudspeaker", "terminal_tcp", {"volumes": {"red": 200, "x": 1}}, "volumes 的键 “x” 不对", "the key"),
    ],
)
def test_a_wrong_option_is_told_with_the_gateway_what_was_given_and_what_is_wanted(
    channel: str, driver: str, given: dict[str, object], chinese: str, english: str
) -> None:
    error = _refused(channel, driver, **given)
    assert f"网关 'line-1'（{channel}.{driver}）" in error.what
    assert chinese in error.what
    told = _english(error)
    assert told.startswith(f"Gateway 'line-1' ({channel}.{driver}): ")
    assert english in told
    assert not re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", told.replace("“", "").replace("”", "")), told


def test_everything_that_is_wrong_is_told_at_once_and_no_secret_is_repeated() -> None:
    error = _refused("sms", "cmpp", host="", port=0, password=4711, source="x", user="901234")
    assert all(f"{name} 现为" in error.what for name in ("host", "port", "source"))
    assert "password 不对（内容不显示）" in error.what
    assert "4711" not in str(error)
    for channel, driver, given in (
        ("sms", "aliyun", {"access_key_secret": "hush hush"}),
        ("wechat", "robot", {"groups": {"a": ["hush hush"]}}),
        ("email", "smtp", {"bounce_token": "hush hush"}),
        ("loudspeaker", "ebd", {"key": "hush hush"}),
    ):
        told = _refused(channel, driver, **given)
        assert "内容不显示" in told.what
        assert "hush" not in str(told)


def test_instruments_and_engines_are_told_in_the_same_words() -> None:
    [entry] = entry_points(group="broadcaster.adapters", name="hj212")
    for given, wanted in (({"port": 0}, "port 现为 0"), ({"port": 7001, "allowed": ["here"]}, "“here” 不是网段")):
        with pytest.raises(SettingsError) as refused:
            entry.load().sensor(SensorSettings(name="river", kind="hj212", options=given), _Silent())
        assert "sensors[river]（hj212）" in refused.value.what
        assert wanted in refused.value.what
        assert not _CHINESE.search(_english(refused.value))
    settings = EngineSettings("piper", {"voices": 3}, place="daohu.toml:12")
    with pytest.raises(SettingsError) as refused:
        engines([settings])
    assert "语音引擎 piper（daohu.toml:12）：voices 现为 3，应为：表，每个值应为：" in refused.value.what
    assert not _CHINESE.search(_english(refused.value))
