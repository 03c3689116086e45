"""From a village's code on the wall to the home's warnings in WeChat: what the platform calls with is sealed by
wechatpy, the answers are opened by it, and everything between is real."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.dispatch import trials
from broadcaster.dispatch.slots import register
from broadcaster.ports import GatewaySettings, Medium, Receipt, Reply
from broadcaster.rosters import follower_words as words
from broadcaster.rosters.followers import SCENE, Followers
from broadcaster.web.context import Callback, Context
from channels.wechat.official import plugin as official
from tests.contract.wechat_peer import settings
from tests.harness.web import TOWN, Make, Web
from tests.harness.wechat_notice import ACCOUNT, APPID, opened, sealed, xml

OPENID, OTHER = "oDaohuRehearsal0000000000001", "oDaohuRehearsal0000000000002"
VILLAGE, NEXT_VILLAGE = f"{TOWN}001", f"{TOWN}002"
PLACE = "1001村"
NUMBER, UNKNOWN = "13800138000", "13900139000"
SMS = GatewaySettings("sms", Medium.SMS, "rehearsal", rate=10)
_numbers = count(1)


@dataclass
class Kept:
    """An inbox that notes what it was given."""

    replies_kept: list[Reply] = field(default_factory=list)

    async def receipts(self, items: Any) -> None:
        assert all(isinstance(one, Receipt) for one in items)

    async def replies(self, items: Any) -> None:
        self.replies_kept += items


@dataclass
class Account:
    """The official account's platform as it calls us; `web` is what it calls."""

    web: Web
    gateway: GatewaySettings
    kept: Kept
    clock: ManualClock

    async def calls(self, who: str, at: int | None = None, **texts: object) -> str:
        """What the follower reads in answer to an event or a text, which was `at` (now); "" for nothing."""
        seconds = int(self.clock.now().timestamp())
        notice = xml(ToUserName=ACCOUNT, FromUserName=who, CreateTime=at or seconds, **texts)
        query, body = sealed(notice, APPID, seconds)
        answer = await self.web.client.post(f"/callbacks/{self.gateway.name}", params=query, data=body)
        assert answer.status == 200, await answer.text()
        said = await answer.read()
        if said == b"success":
            return ""
        found = opened(said, APPID)
        assert (found["ToUserName"], found["FromUserName"], found["MsgType"]) == (who, ACCOUNT, "text")
        return str(found["Content"])

    async def scans(self, who: str = OPENID, region: str = VILLAGE, *, new: bool = True) -> str:
        event, key = ("subscribe", f"qrscene_{SCENE}{region}") if new else ("SCAN", f"{SCENE}{region}")
        return await self.calls(who, MsgType="event", Event=event, EventKey=key)

    async def leaves(self, who: str = OPENID) -> str:
        return await self.calls(who, MsgType="event", Event="unsubscribe", EventKey="")

    async def writes(self, text: str, who: str = OPENID, number: int | None = None) -> str:
        return await self.calls(who, MsgType="text", Content=text, MsgId=number or next(_numbers))

    async def code(self, number: str = NUMBER) -> str:
        """The code in the last text message to `number`."""
        async with self.web.database.connection() as connection:
            body = await connection.fetchval(
                "SELECT body FROM gateway_trial WHERE address = $1 ORDER BY id DESC LIMIT 1", number
            )
        found = re.search(r"验证码(\d{6})", body or "")
        assert found, f"no code was sent to it: {body}"
        return found[1]

    async def contacts(self, who: str = OPENID) -> list[tuple[int, bool]]:
        """The homes that have the follower's address, and whether it is switched on."""
        async with self.web.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT household_id, active FROM contact WHERE medium = 'wechat' AND address = $1 ORDER BY 1", who
            )
        return [tuple(row) for row in rows]

    async def told(self) -> int:
        """Text messages that were asked for so far."""
        async with self.web.database.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM gateway_trial WHERE body IS NOT NULL"))


@pytest.fixture
async def home(district: Database) -> int:
    """A home of the village whose number is NUMBER."""
    async with district.connection() as connection:
        household: int = await connection.fetchval("SELECT id FROM household WHERE external_id = $1", f"{VILLAGE}-1")
        await connection.execute(
            "UPDATE contact SET address = $1 WHERE household_id = $2 AND medium = 'phone'", NUMBER, household
        )
    return household


@pytest.fixture
async def account(make_web: Make, context: Context, clock: ManualClock, home: int) -> Account:
    assert home
    return await an_account(make_web, context, clock, (SMS,))


async def an_account(
    make_web: Make, context: Context, clock: ManualClock, gateways: tuple[GatewaySettings, ...], **more: Any
) -> Account:
    gateway, kept = replace(settings("official", 1), **more), Kept()
    followers = Followers(context.database, clock, b"a secret of the tests", "鄞州区应急管理局", gateways)
    callback = Callback(gateway, replace(official, now=clock.now), kept)
    web: Web = await make_web(replace(context, callbacks={gateway.name: callback}, followers=followers))
    return Account(web, gateway, kept, clock)


async def test_who_scans_the_code_and_has_the_telephone_hears_what_concerns_the_home(
    account: Account, home: int
) -> None:
    assert await account.scans() == words.ask_number(PLACE)
    assert await account.writes(" 138-0013-8000 ") == words.sent(PLACE)
    assert await account.contacts() == []
    assert await account.writes(await account.code()) == words.BOUND
    assert await account.contacts() == [(home, True)]
    assert await account.scans(new=False) == words.bound_already(PLACE)
    assert account.kept.replies_kept == [], "numbers and codes are kept nowhere as replies"


async def test_it_is_audited_without_the_number_and_the_account(account: Account, home: int) -> None:
    await account.scans()
    await account.writes(NUMBER)
    await account.writes(await account.code())
    async with account.web.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM audit_entry WHERE action = 'contact.bind'")
        proofs = await connection.fetch("SELECT * FROM follower_proof")
        followers = await connection.fetch("SELECT * FROM follower")
    assert f'"household":{home}' in row["detail"]
    for written in (str(dict(row)), *(str(dict(one)) for one in (*proofs, *followers))):
        assert NUMBER not in written
    assert OPENID not in str(dict(row))


async def test_the_answer_does_not_tell_whether_a_number_is_known(account: Account) -> None:
    await account.scans()
    await account.scans(OTHER, NEXT_VILLAGE)
    known, unknown = await account.writes(NUMBER), await account.writes(UNKNOWN)
    assert known == unknown == words.sent(PLACE)
    assert await account.told() == 1
    elsewhere = await account.writes(NUMBER, OTHER)
    assert elsewhere == words.sent("1002村"), "the number is of another village"
    assert await account.told() == 1
    assert await account.writes("000000", OTHER) == await account.writes("000000") == words.WRONG_CODE


async def test_a_number_of_two_homes_binds_neither(account: Account) -> None:
    async with account.web.database.connection() as connection:
        await connection.execute(
            "UPDATE contact SET address = $1 WHERE medium = 'phone' AND household_id IN"
            " (SELECT id FROM household WHERE external_id = $2)",
            NUMBER,
            f"{VILLAGE}-2",
        )
    await account.scans()
    assert await account.writes(NUMBER) == words.sent(PLACE)
    assert await account.told() == 0


async def test_a_wrong_code_binds_nothing_and_after_five_the_right_one_neither(account: Account) -> None:
    await account.scans()
    await account.writes(NUMBER)
    right = await account.code()
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for _ in range(5):
        assert await account.writes(wrong) == words.WRONG_CODE
    assert await account.writes(right) == words.TOO_MANY_TRIES
    assert await account.contacts() == []


async def test_a_code_is_good_for_ten_minutes_for_who_asked_for_it_and_once(account: Account, home: int) -> None:
    await account.scans()
    await account.scans(OTHER)
    await account.writes(NUMBER)
    code = await account.code()
    assert await account.writes(code, OTHER) == "", "the other waits for no code: it is a reply like any other"
    assert [one.text for one in account.kept.replies_kept] == [code]
    account.clock.advance(601)
    assert await account.writes(code) == ""
    assert await account.contacts() == []
    await account.writes(NUMBER)
    again = await account.code()
    assert await account.writes(again) == words.BOUND
    assert await account.writes(again) == ""
    assert await account.contacts() == [(home, True)]


async def test_a_follower_may_try_five_numbers_a_day(account: Account) -> None:
    await account.scans()
    for number in range(5):
        assert await account.writes(f"1390013900{number}") == words.sent(PLACE)
    assert await account.writes(NUMBER) == words.TOO_MANY_NUMBERS
    assert await account.told() == 0
    account.clock.advance(86_401)
    assert await account.writes(NUMBER) == words.sent(PLACE)
    assert await account.told() == 1


async def test_one_number_gets_three_codes_a_day_whoever_names_it(account: Account) -> None:
    for number in range(5):
        who = f"oDaohuRehearsal00000000001{number:02}"
        await account.scans(who)
        assert await account.writes(NUMBER, who) == words.sent(PLACE)
    assert await account.told() == 3


async def test_a_call_that_comes_again_is_answered_again_and_done_once(account: Account, home: int) -> None:
    await account.scans()
    await account.scans()
    for _ in range(3):
        assert await account.writes(NUMBER, number=77) == words.sent(PLACE)
    assert await account.told() == 1
    code = await account.code()
    for _ in range(3):
        assert await account.writes(code, number=78) == words.BOUND
    assert await account.contacts() == [(home, True)]
    async with account.web.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'contact.bind'") == 1


async def test_who_leaves_gets_nothing_more_until_they_come_back(account: Account, home: int) -> None:
    await account.scans()
    await account.writes(NUMBER)
    await account.writes(await account.code())
    assert await account.leaves() == ""
    assert await account.contacts() == [(home, False)]
    assert await account.calls(OPENID, MsgType="event", Event="subscribe", EventKey="") == words.bound_already(PLACE)
    assert await account.contacts() == [(home, True)]
    async with account.web.database.connection() as connection:
        actions = [row[0] for row in await connection.fetch("SELECT action FROM audit_entry ORDER BY seq")]
    assert actions == ["contact.bind", "contact.leave", "contact.return"]


async def test_an_older_event_that_comes_again_changes_nothing(account: Account, home: int) -> None:
    seconds = int(account.clock.now().timestamp())
    await account.scans()
    await account.writes(NUMBER)
    await account.writes(await account.code())
    account.clock.advance(10)
    await account.leaves()
    account.clock.advance(5)
    assert await account.calls(OPENID, seconds, MsgType="event", Event="subscribe", EventKey="") == ""
    assert await account.contacts() == [(home, False)]
    await account.scans()
    assert await account.calls(OPENID, seconds + 10, MsgType="event", Event="unsubscribe", EventKey="") == ""
    assert await account.contacts() == [(home, True)]


async def test_what_the_office_switched_off_does_not_come_back_by_following_again(account: Account, home: int) -> None:
    await account.scans()
    await account.writes(NUMBER)
    await account.writes(await account.code())
    async with account.web.database.connection() as connection:
        await connection.execute("UPDATE contact SET active = false WHERE address = $1", OPENID)
    await account.leaves()
    await account.scans()
    assert await account.contacts() == [(home, False)]


async def test_what_is_no_number_and_no_code_is_a_reply(account: Account) -> None:
    await account.scans()
    for text in ("1", "收到", "救命，电话13800138000", "110", "12", "1 27"):
        assert await account.writes(text) == ""
    assert [one.text for one in account.kept.replies_kept] == [
        "1",
        "收到",
        "救命，电话13800138000",
        "110",
        "12",
        "1 27",
    ]
    assert {one.address for one in account.kept.replies_kept} == {OPENID}
    assert "work" in account.web.bells.rung


async def test_who_scanned_no_code_is_told_to(account: Account) -> None:
    assert await account.calls(OPENID, MsgType="event", Event="subscribe", EventKey="") == words.NO_REGION
    assert await account.writes(NUMBER) == words.NO_REGION
    assert await account.scans(OTHER, "999999999999") == words.NO_REGION
    assert await account.calls(OTHER, MsgType="event", Event="SCAN", EventKey="advert-17") == words.NO_REGION
    assert await account.writes("057488123456") == words.NO_REGION
    await account.scans()
    assert await account.writes("057488123456") == words.MOBILE_ONLY


async def test_without_a_gateway_for_text_messages_nobody_waits_for_a_code(
    make_web: Make, context: Context, clock: ManualClock, home: int
) -> None:
    assert home
    drill = replace(SMS, rehearsal=True)
    account = await an_account(make_web, context, clock, (drill,))
    await account.scans()
    assert await account.writes(NUMBER) == await account.writes(UNKNOWN) == words.NO_CARRIER
    assert await account.told() == 0


async def test_on_the_drills_side_of_the_wall_nobody_is_bound(
    make_web: Make, context: Context, clock: ManualClock, home: int
) -> None:
    assert home
    account = await an_account(make_web, context, clock, (SMS,), rehearsal=True)
    assert await account.scans() == ""
    assert await account.writes(NUMBER) == ""
    assert [one.text for one in account.kept.replies_kept] == [NUMBER]


async def test_a_note_is_forgotten_when_it_is_taken_and_is_no_trial(account: Account) -> None:
    await account.scans()
    await account.writes(NUMBER)
    database, now = account.web.database, account.clock.now()
    async with database.connection() as connection:
        gateway = await register(connection, SMS)
        assert await trials.latest(connection, "sms", now) == []
    (taken,) = await trials.take(database, "worker-1", {gateway.id: False}, now)
    assert taken.address == NUMBER
    assert taken.body is not None
    assert taken.body.startswith("【鄞州区应急管理局】验证码")
    assert len(taken.body) <= 70, "one part"
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT address, body, state FROM gateway_trial")
    assert tuple(row) == ("", "", "sending")
