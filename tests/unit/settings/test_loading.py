"""Settings fail at the start, and say everything that is wrong, where it was written, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import NotFoundError, SettingsError
from broadcaster.ports import Medium
from broadcaster.settings import EMBEDDED, Settings, load_settings, settings_from

DISTRICT = '[district]\ncode = "330212"\nname = "鄞州区"\n'

GATEWAYS = """
[[gateways]]
name = "town-sms"
channel = "sms"
driver = "cmpp"
rate = 50
password = { env = "CMPP_PASSWORD" }
host = "10.0.0.1"

[[gateways]]
name = "speakers"
channel = "loudspeaker"
driver = "rehearsal"
rate = 5.5
rehearsal = true
"""


def load(folder: Path, content: str, **environment: str) -> Settings:
    (folder / "daohu.toml").write_text(content, encoding="utf-8")
    return load_settings(folder / "daohu.toml", environment=environment)


def refusal(folder: Path, content: str, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, content, **environment)
    return str(caught.value)


def test_the_district_is_all_that_must_be_said(tmp_path: Path) -> None:
    settings = load(tmp_path, DISTRICT)
    assert settings.district.name == "鄞州区"
    assert settings.database.url == settings.redis.url == EMBEDDED
    assert settings.data.dir == tmp_path / "data"
    assert settings.worker.flush_rows == 1000
    assert settings.source == tmp_path / "daohu.toml"


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, DISTRICT + '[data]\ndir = "store"\n[messages]\ndir = "/srv/own"\n')
    assert settings.data.dir == tmp_path / "store"
    assert settings.messages.dir == Path("/srv/own")


def test_every_problem_is_reported_at_once_with_its_line_and_what_is_allowed(tmp_path: Path) -> None:
    words = refusal(
        tmp_path, '[district]\ncode = "33021"\nname = "鄞州区"\n\n[web]\nport = 99999\npublic_url = "daohu"\n'
    )
    assert "3 处问题" in words
    assert "district.code：应为六位县级行政区划代码" in words
    assert "daohu.toml:2" in words
    assert "web.port：应为1 到 65535 的整数，而不是 99999（daohu.toml:6）" in words
    assert "web.public_url" in words


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    assert "是不是 web.public_url？" in refusal(tmp_path, DISTRICT + '[web]\npublic_uri = "http://x"\n')
    assert "是不是 web.port？" in refusal(tmp_path, "port = 1\n" + DISTRICT)
    assert "是不是 database？" in refusal(tmp_path, DISTRICT + '[databse]\nurl = "embedded"\n')


def test_the_environment_overrides_the_file_and_is_named_when_wrong(tmp_path: Path) -> None:
    content = DISTRICT + "[web]\nport = 1\n"
    settings = load(
        tmp_path, content, DAOHU__WEB__PORT="81", DAOHU__DISTRICT__CODE="330100", DAOHU__APPROVAL__OWN="true"
    )
    assert (settings.web.port, settings.district.code, settings.approval.own) == (81, "330100", True)
    words = refusal(tmp_path, content, DAOHU__WEB__PORT="eighty", DAOHU__WEB__PROT="1", DAOHU__WEB="x")
    assert "环境变量 DAOHU__WEB__PORT" in words or "环境变量 DAOHU__WEB" in words


def test_a_wrong_environment_value_names_its_variable(tmp_path: Path) -> None:
    words = refusal(tmp_path, DISTRICT, DAOHU__WEB__PORT="eighty")
    assert "web.port：应为1 到 65535 的整数，而不是 eighty（环境变量 DAOHU__WEB__PORT）" in words
    assert "环境变量 DAOHU__WEB__PROT" in refusal(tmp_path, DISTRICT, DAOHU__WEB__PROT="1")


def test_a_gateway_is_overridden_by_name_or_by_position(tmp_path: Path) -> None:
    environment = {"CMPP_PASSWORD": "geheim", "DAOHU__GATEWAYS__TOWN_SMS__RATE": "80", "DAOHU__GATEWAYS__1__SLOTS": "3"}
    settings = load(tmp_path, DISTRICT + GATEWAYS, **environment)
    sms, speakers = settings.gateways
    assert (sms.rate, sms.channel, speakers.slots, speakers.rehearsal) == (80.0, Medium.SMS, 3, True)
    assert settings.gateway("speakers") is speakers
    with pytest.raises(NotFoundError):
        settings.gateway("nobody")
    words = refusal(tmp_path, DISTRICT + GATEWAYS, CMPP_PASSWORD="x", DAOHU__GATEWAYS__OTHER__RATE="1")
    assert "DAOHU__GATEWAYS__OTHER__RATE：没有这个网关" in words


def test_a_driver_option_keeps_its_toml_type_and_a_secret_is_followed_and_hidden(tmp_path: Path) -> None:
    settings = load(tmp_path, DISTRICT + GATEWAYS, CMPP_PASSWORD="geheim", DAOHU__GATEWAYS__0__PORT="7890")
    options = settings.gateways[0].options
    assert options["password"] == "geheim"
    assert options["port"] == 7890
    assert options["host"] == "10.0.0.1"
    assert "geheim" not in repr(settings)


def test_secrets_in_a_table_of_a_driver_are_followed_and_hidden(tmp_path: Path) -> None:
    (tmp_path / "xiaying.key").write_text("693a91f6-7aoc-4bc4\n")
    table = '[gateways.groups]\nxiaying = { file = "xiaying.key" }\nqiuai = { env = "QIUAI_KEY" }\n'
    robots = f'[[gateways]]\nname = "robots"\nchannel = "wechat"\ndriver = "robot"\nrate = 5\n{table}'
    settings = load(tmp_path, DISTRICT + robots, QIUAI_KEY="geheim")
    assert settings.gateways[0].options["groups"] == {"xiaying": "693a91f6-7aoc-4bc4", "qiuai": "geheim"}
    assert "geheim" not in repr(settings)
    assert "环境变量 QIUAI_KEY 没有设置" in refusal(tmp_path, DISTRICT + robots)


def test_a_secret_comes_from_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "db.url").write_text("postgres://daohu:geheim@db/daohu\n")
    settings = load(tmp_path, DISTRICT + '[database]\nurl = { file = "db.url" }\n')
    assert settings.database.url == "postgres://daohu:geheim@db/daohu"
    assert "geheim" not in repr(settings)
    assert f"{tmp_path / 'none'} 读不到" in refusal(tmp_path, DISTRICT + '[redis]\nurl = { file = "none" }\n')
    assert "环境变量 NO_SUCH 没有设置" in refusal(tmp_path, DISTRICT + '[redis]\nurl = { env = "NO_SUCH" }\n')


@pytest.mark.parametrize(
    "line",
    [
        '[database]\nurl = "mysql://root:geheim@h/d"',
        '[security]\nsecret_key = "geheim"',
        '[[gateways]]\nname = "a"\nchannel = "sms"\ndriver = "x"\nrate = 0\npassword = "geheim"',
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, line: str) -> None:
    assert "geheim" not in refusal(tmp_path, DISTRICT + line)


def test_a_gateway_without_its_channel_and_one_of_the_same_name_are_refused(tmp_path: Path) -> None:
    words = refusal(
        tmp_path,
        DISTRICT + GATEWAYS.replace('channel = "loudspeaker"\n', "").replace('"speakers"', '"town-sms"'),
        CMPP_PASSWORD="x",
    )
    assert (
        "gateways[1].channel：缺少这个设置，应为sms、wechat、email、voice、loudspeaker 之一（daohu.toml:13）" in words
    )
    assert "gateways[1].name：与另一个网关重名" in words


@pytest.mark.parametrize("words", ["[district", "x = ", "\x00"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, words: str) -> None:
    assert "不合 TOML 语法" in refusal(tmp_path, words)


def test_a_missing_file_and_one_that_is_not_utf8_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="daohu init"):
        load_settings(tmp_path / "none.toml", environment={})
    (tmp_path / "gbk.toml").write_bytes("[district]\nname = '鄞州'\n".encode("gbk"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(tmp_path / "gbk.toml", environment={})


def test_without_a_file_the_environment_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"DAOHU__DISTRICT__CODE": "330212", "DAOHU__DISTRICT__NAME": "鄞州区"}
    assert load_settings(environment=environment).source is None
    with pytest.raises(SettingsError, match="daohu init"):
        load_settings(environment={})


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(DISTRICT, encoding="utf-8")
    assert load_settings(environment={"DAOHU_CONFIG": str(tmp_path / "other.toml")}).district.code == "330212"


def test_a_line_is_found_behind_multi_line_values(tmp_path: Path) -> None:
    content = (
        DISTRICT
        + '[approval]\nrequired = [\n  "red",  # [web]\n]\n[messages]\ndir = """\\\n[web]\n"""\n[web]\nport = 0\n'
    )
    assert "daohu.toml:13" in refusal(tmp_path, content)


@pytest.mark.parametrize("value", ["1", "'x'", "[1]", "[[gateways]]"])
def test_something_else_than_a_table_is_refused(tmp_path: Path, value: str) -> None:
    assert "应为一个表" in refusal(
        tmp_path, f"web = {value}\n" + DISTRICT if value != "[[gateways]]" else "gateways = [1]\n" + DISTRICT
    )


def test_settings_can_be_made_from_plain_values(tmp_path: Path) -> None:
    settings = settings_from({"district": {"code": "330212", "name": "鄞州区"}, "data": {"dir": "d"}}, folder=tmp_path)
    assert settings.data.dir == tmp_path / "d"


@pytest.mark.parametrize(("given", "known"), [([], ()), (["127.0.0.1", "2001:DB8::1"], ("127.0.0.1", "2001:db8::1"))])
def test_proxies_are_named_by_their_addresses(given: list[str], known: tuple[str, ...]) -> None:
    settings = settings_from({"district": {"code": "330212", "name": "鄞州区"}, "web": {"trusted_proxies": given}})
    assert settings.web.trusted_proxies == known


@pytest.mark.parametrize("given", ["127.0.0.1", ["proxy.example"], [1]])
def test_a_proxy_that_is_no_address_is_refused(given: object) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        settings_from({"district": {"code": "330212", "name": "鄞州区"}, "web": {"trusted_proxies": given}})
