"""The drivers of WeChat's platforms: tokens, what refusals mean, what followers, members and groups get to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from yarl import URL

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    Driver,
    Envelope,
    GatewaySettings,
    Message,
    Outcome,
    Rejected,
)
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.http.exchange import Answer, Request
from channels.wechat.official import plugin as official
from channels.wechat.robot.plugin import RobotPlugin
from channels.wechat.robot.provider import UNHEARD
from channels.wechat.token import AccessToken
from channels.wechat.wecom import plugin as wecom
from tests.contract.wechat_peer import CARD, MESSAGE, TEXT, settings
from tests.harness import official_account
from tests.harness.cloud import CloudProcess, running_cloud
from tests.harness.official_account import NOT_FOLLOWING, STRANGER

OPENID = "oDaohuRehearsal{:013}"
PLAIN = msgspec.structs.replace(MESSAGE, answer="")


@pytest.fixture
async def account() -> AsyncIterator[CloudProcess]:
    with running_cloud("official") as process:
        yield process


@pytest.fixture
async def corporation() -> AsyncIterator[CloudProcess]:
    with running_cloud("wecom") as process:
        yield process


@asynccontextmanager
async def opened(plugin: Any, gateway: GatewaySettings, journal: MemoryJournal | None = None) -> AsyncIterator[Driver]:
    driver: Driver = plugin.build(gateway, journal or MemoryJournal())
    await driver.open(MemoryInbox())
    try:
        yield driver
    finally:
        await driver.close()


def envelopes(addresses: Sequence[str], message: Message = MESSAGE, first: int = 1) -> list[Envelope]:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return [
        Envelope(DeliveryKey(7, ordinal, 1), to, message, 0, expires) for ordinal, to in enumerate(addresses, first)
    ]


async def sent(driver: Driver, batch: Sequence[Envelope]) -> list[Outcome]:
    found = {outcome.key: outcome async for outcome in driver.send(batch)}
    return [found[envelope.key] for envelope in batch]


def kinds(outcomes: Sequence[Outcome]) -> Counter[type]:
    return Counter(map(type, outcomes))


async def test_a_follower_reads_the_templates_fields_and_has_the_link(account: CloudProcess) -> None:
    async with opened(official, settings("official", account.port)) as driver:
        long = msgspec.structs.replace(MESSAGE, fields={**CARD, "keyword5": "立即转移" * 10, "keyword2": " "})
        await sent(driver, envelopes([OPENID.format(1)]))
        (refused,) = await sent(driver, envelopes([OPENID.format(2)], long, 2))
        assert isinstance(refused, Rejected), "an empty field is the template's fault, not the platform's to find"
        no_office = {name: value for name, value in long.fields.items() if name != "keyword2"}
        await sent(driver, envelopes([OPENID.format(3)], msgspec.structs.replace(long, fields=no_office), 3))
    first, second = await account.taken()
    assert first["text"].startswith("thing1=【演练】台风红色预警 | thing2=鄞州区")
    assert first["text"].endswith("https://warn.example.org/r/Ab3dE")
    assert "thing2=—" in second["text"]
    assert f"thing5={('立即转移' * 5)[:19]}…" in second["text"]


@pytest.mark.parametrize(
    ("code", "kind", "after"),
    [
        (-1, Deferred, 1),
        (40003, Rejected, 0),
        (40037, Deferred, 30),
        (43004, Rejected, 0),
        (43019, Rejected, 0),
        (43101, Rejected, 0),
        (45009, Deferred, 60),
        (45011, Deferred, 5),
        (47003, Rejected, 0),
        (48001, Deferred, 30),
        (40001, Deferred, 30),
        (42001, Deferred, 30),
        (99999, Rejected, 0),
    ],
)
async def test_what_the_official_accounts_refusals_mean(
    account: CloudProcess, code: int, kind: type[Outcome], after: float
) -> None:
    async with opened(official, settings("official", account.port)) as driver:
        await account.play("refusing", code=str(code))
        (outcome,) = await sent(driver, envelopes([OPENID.format(1)]))
    assert isinstance(outcome, kind)
    assert getattr(outcome, "after", 0) == after
    assert str(code) in getattr(outcome, "reason", "")


async def test_who_does_not_follow_is_refused_alone_and_is_not_named(account: CloudProcess) -> None:
    journal = MemoryJournal()
    async with opened(official, settings("official", account.port), journal) as driver:
        outcomes = await sent(driver, envelopes([OPENID.format(1), NOT_FOLLOWING, STRANGER, OPENID.format(2)]))
    assert [type(one) for one in outcomes] == [Accepted, Rejected, Rejected, Accepted]
    told = "\n".join([*journal.lines, *(one.reason for one in outcomes if isinstance(one, Rejected))])
    assert not any(secret in told for secret in (STRANGER, NOT_FOLLOWING, "token-", official_account.SECRET, "oDaohu"))


async def test_a_token_that_ended_is_renewed_once_for_all_who_find_it_ended(account: CloudProcess) -> None:
    async with opened(official, settings("official", account.port)) as driver:
        before = (await account.ask("platform"))["tokens"]
        await account.ask("expire")
        outcomes = await sent(driver, envelopes([OPENID.format(number) for number in range(200)]))
        assert kinds(outcomes) == {Accepted: 200}
        assert (await account.ask("platform"))["tokens"] == before + 1


async def test_a_token_that_ends_soon_is_renewed_before_it_is_refused(account: CloudProcess) -> None:
    await account.ask("expire", lasts=1e-6)
    journal = MemoryJournal()
    async with opened(official, settings("official", account.port), journal) as driver:
        outcomes = await sent(driver, envelopes([OPENID.format(number) for number in range(3)]))
    assert kinds(outcomes) == {Accepted: 3}
    assert not any("42001" in line or "40001" in line for line in journal.lines)
    assert (await account.ask("platform"))["tokens"] > 1


async def test_two_slots_have_the_same_token(account: CloudProcess) -> None:
    gateway = settings("official", account.port)
    async with opened(official, gateway) as one, opened(official, gateway) as other:
        outcomes = await sent(one, envelopes([OPENID.format(1)]))
        outcomes += await sent(other, envelopes([OPENID.format(2)], first=2))
    assert kinds(outcomes) == {Accepted: 2}


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    now = [1000.0]
    answers = iter([7200, 300, 7200])

    async def call(_request: Request) -> Answer:
        return Answer(200, msgspec.json.encode({"access_token": "t", "expires_in": next(answers)}))

    token = AccessToken(Request("stable_token", URL("https://example.org")), {}, "", lambda: now[0])
    assert token.due()
    await token.fetch(call)
    now[0] += 7200 - 241
    assert not token.due()
    now[0] += 2
    assert token.due()
    await token.fetch(call)
    now[0] += 149
    assert not token.due(), "where the platform gives the old token again, it is not asked at every message"
    now[0] += 2
    assert token.due()


async def test_what_is_sent_again_after_a_broken_connection_arrives_once(account: CloudProcess) -> None:
    async with opened(official, settings("official", account.port)) as driver:
        batch = envelopes([OPENID.format(1)])
        again = [msgspec.structs.replace(one, key=one.key._replace(attempt=2)) for one in batch]
        assert kinds([*(await sent(driver, batch)), *(await sent(driver, again))]) == {Accepted: 2}
    assert len(await account.taken()) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"appid": "wx0000000000000000"}, "40013"),
        ({"secret": "f" * 32}, "40125"),
        ({"template": "x" * 43}, "没有网关所设的模板"),
        ({"fields": {"thing1": "keyword1"}}, "thing2、time3、thing5"),
    ],
)
async def test_what_is_set_up_wrongly_is_found_when_the_gateway_is_opened(
    account: CloudProcess, options: dict[str, object], said: str
) -> None:
    driver = official.build(settings("official", account.port, **options), MemoryJournal())
    with pytest.raises(UnavailableError) as caught:
        await driver.open(MemoryInbox())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"appid": "gh_0123"},
        {"fields": {"thing1": "keyword9"}},
        {"fields": {"1thing": "keyword1"}},
        {"aes_key": "short"},
        {"token": None},
    ],
)
def test_a_wrong_option_of_the_official_account_is_said_at_once(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        official.build(settings("official", 1, **options), MemoryJournal())


async def test_a_village_has_one_code_that_stays(account: CloudProcess) -> None:
    gateway = settings("official", account.port)
    scenes = ["region:330212001001", "region:330212001002"]
    made = await official.invite(gateway, MemoryJournal(), scenes)
    assert set(made) == set(scenes)
    assert len(set(made.values())) == 2
    assert await official.invite(gateway, MemoryJournal(), scenes) == made
    assert set((await account.ask("platform"))["codes"]) == set(scenes)


async def test_on_duty_one_gets_a_card_with_a_button_and_the_others_a_text(corporation: CloudProcess) -> None:
    async with opened(wecom, settings("wecom", corporation.port)) as driver:
        await sent(driver, envelopes(["wecom:ZhangSan"]))
        await sent(driver, envelopes(["wecom:lisi"], PLAIN, 2))
    card, text = (await corporation.ask("platform"))["requests"]
    assert (card["touser"], card["msgtype"]) == ("zhangsan", "template_card")
    assert card["template_card"]["task_id"] == "7-1-1"
    assert card["template_card"]["button_list"] == [{"text": "收到", "style": 1, "key": "1"}]
    assert card["template_card"]["card_action"]["url"] == MESSAGE.url
    assert (text["msgtype"], text["text"]["content"]) == ("text", TEXT)


async def test_where_nothing_comes_back_no_button_is_shown(corporation: CloudProcess) -> None:
    deaf = settings("wecom", corporation.port, token=None, aes_key=None)
    async with opened(wecom, deaf) as driver:
        assert not driver.capabilities.replies
        await sent(driver, envelopes(["wecom:zhangsan"]))
    (request,) = (await corporation.ask("platform"))["requests"]
    assert request["msgtype"] == "text"


async def test_the_same_words_go_to_a_thousand_in_one_request_and_strangers_are_refused_alone(
    corporation: CloudProcess,
) -> None:
    everybody = [f"wecom:member{number}" for number in range(1100)]
    everybody[5], everybody[7], everybody[9] = "wecom:stranger1", "wecom:Unlicensed1", "wecom:member4"
    async with opened(wecom, settings("wecom", corporation.port)) as driver:
        outcomes = await sent(driver, envelopes(everybody, PLAIN))
    assert kinds(outcomes) == {Accepted: 1098, Rejected: 2}
    refused = [outcomes[5], outcomes[7]]
    assert all(isinstance(one, Rejected) for one in refused)
    assert "invaliduser" in getattr(outcomes[5], "reason", "")
    assert "unlicenseduser" in getattr(outcomes[7], "reason", "")
    requests = (await corporation.ask("platform"))["requests"]
    assert sorted(len(one["touser"].split("|")) for one in requests) == [100, 1000]


async def test_a_long_text_keeps_its_link(corporation: CloudProcess) -> None:
    long = msgspec.structs.replace(PLAIN, text="请立即转移。" * 300 + MESSAGE.url)
    async with opened(wecom, settings("wecom", corporation.port)) as driver:
        assert kinds(await sent(driver, envelopes(["wecom:a1"], long))) == {Accepted: 1}
    (taken,) = await corporation.taken()
    assert taken["text"].endswith(MESSAGE.url)
    assert len(taken["text"].encode()) <= 2048


@pytest.mark.parametrize(
    ("code", "kind", "after"),
    [
        (-1, Deferred, 1),
        (81013, Rejected, 0),
        (45009, Deferred, 10),
        (45033, Deferred, 1),
        (60020, Deferred, 30),
        (40056, Deferred, 30),
        (42001, Deferred, 30),
        (45002, Rejected, 0),
    ],
)
async def test_what_wecoms_refusals_mean(
    corporation: CloudProcess, code: int, kind: type[Outcome], after: float
) -> None:
    async with opened(wecom, settings("wecom", corporation.port)) as driver:
        await corporation.play("refusing", code=str(code))
        (outcome,) = await sent(driver, envelopes(["wecom:zhangsan"]))
    assert isinstance(outcome, kind)
    assert getattr(outcome, "after", 0) == after


async def test_a_group_gets_twenty_messages_a_minute_and_the_rest_later(corporation: CloudProcess) -> None:
    now = [5000.0]
    robots = RobotPlugin(monotonic=lambda: now[0])
    gateway = settings("robot", corporation.port)
    async with opened(robots, gateway) as driver:
        outcomes = await sent(driver, envelopes(["group:group-1"] * 23 + ["group:group-2"], PLAIN))
        assert kinds(outcomes) == {Accepted: 21, Deferred: 3}
        assert [one.after for one in outcomes if isinstance(one, Deferred)] == [60.0] * 3
    async with opened(robots, gateway) as driver:  # a connection made anew knows of them
        now[0] += 59
        (still,) = await sent(driver, envelopes(["group:group-1"], PLAIN, 100))
        assert isinstance(still, Deferred)
        assert still.after == 1.0
        now[0] += 1
        await corporation.ask("forget")  # for it, too, a minute is over
        assert kinds(await sent(driver, envelopes(["group:group-1"], PLAIN, 101))) == {Accepted: 1}


async def test_a_group_does_not_get_anybodys_link(corporation: CloudProcess) -> None:
    async with opened(RobotPlugin(), settings("robot", corporation.port, shown="markdown")) as driver:
        await sent(driver, envelopes(["group:group-1"]))
    (taken,) = await corporation.taken()
    assert "http" not in taken["text"]
    *said, unheard = taken["text"].splitlines()
    assert said == TEXT.splitlines()[:-1]
    assert unheard == UNHEARD.strip()


async def test_a_group_whose_key_is_wrong_is_refused_alone(corporation: CloudProcess) -> None:
    groups = {"good": "693a91f6-7aoc-4bc4-97a0-0ec2sifa5001", "bad": "00000000-0000-0000-0000-000000000000"}
    async with opened(RobotPlugin(), settings("robot", corporation.port, groups=groups)) as driver:
        outcomes = await sent(driver, envelopes(["group:bad", "group:good", "group:none"], PLAIN))
    assert [type(one) for one in outcomes] == [Rejected, Accepted, Rejected]


@pytest.mark.parametrize("options", [{"groups": {}}, {"groups": {"Gute": "x" * 20}}, {"groups": {"a": "?key=1"}}])
def test_a_wrong_option_of_a_robot_is_said_at_once(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        RobotPlugin().build(settings("robot", 1, **options), MemoryJournal())


def test_a_robot_has_one_slot() -> None:
    gateway = settings("robot", 1)
    with pytest.raises(SettingsError) as caught:
        RobotPlugin().build(replace(gateway, slots=2), MemoryJournal())
    assert "slots" in str(caught.value)
