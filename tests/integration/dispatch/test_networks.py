"""An account with each carrier: every number goes to its own carrier, as the carriers' books say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from broadcaster.clock import ManualClock, SystemClock
from broadcaster.dispatch import networks
from broadcaster.dispatch.slots import Gateway
from broadcaster.dispatch.units import UnitDelivery, enqueue
from broadcaster.ports import GatewaySettings, Medium
from tests.harness.carriers import SMS_ONLY, carriers, sms
from tests.harness.district import District

PREFIXES = ("138", "186", "189", "192", "1349", "1705", "199", "999")
NETWORK_OF = dict(
    zip(PREFIXES, ("mobile", "unicom", "telecom", "broadnet", "telecom", "mobile", "telecom", ""), strict=True)
)


def of(name: str, *carriers: str) -> Gateway:
    return Gateway(1, GatewaySettings(name, Medium.SMS, "straw", rate=10, rehearsal=True, networks=carriers))


async def numbers(district: District) -> None:
    """Real-looking numbers: each household's of the prefix that its turn gives."""
    async with district.database.connection() as connection:
        await connection.execute(
            """
            UPDATE contact SET address = rpad(($1::text[])[household_id % cardinality($1::text[]) + 1], 4, '0')
                                         || lpad(household_id::text, 7, '0')
            WHERE medium = 'phone'
            """,
            list(PREFIXES),
        )


async def labelled(district: District) -> dict[str, set[str]]:
    """The prefixes of the numbers in batches of each network."""
    async with district.database.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT b.network, d.address FROM batch b
            JOIN delivery d ON d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last
            WHERE b.channel = 'sms'
            """
        )
    found: dict[str, set[str]] = {}
    for network, address in rows:
        found.setdefault(network, set()).add(next(one for one in PREFIXES if address.startswith(one)))
    return found


def expected() -> dict[str, set[str]]:
    return {name: {prefix for prefix in PREFIXES if NETWORK_OF[prefix] == name} for name in set(NETWORK_OF.values())}


async def test_batches_are_of_one_network_where_some_gateway_is_for_one(district: District) -> None:
    async with district.database.transaction() as connection:
        await networks.know(connection, [of("a", "mobile"), of("b")])
    await district.village(1, 80, wechat=0)
    await numbers(district)
    await district.issue(7)
    assert await district.advance() == 80
    assert await labelled(district) == expected()
    assert await district.breaches(7) == []


async def test_later_steps_and_people_on_duty_are_told_apart_too(district: District) -> None:
    async with district.database.transaction() as connection:
        await networks.know(connection, [of("a", "unicom")])
    await district.village(1, 80)
    await numbers(district)
    await district.issue(7)
    await district.advance()
    assert await labelled(district) == {}, "WeChat knows no carriers"
    district.clock.advance(3600)
    assert await district.advance() == 80
    assert await labelled(district) == expected()
    asked = [
        UnitDelivery(n, "330212001001", Medium.SMS, n, prefix.ljust(11, "1")) for n, prefix in enumerate(PREFIXES, 1)
    ]
    async with district.database.transaction() as connection:
        assert await enqueue(connection, 7, asked, district.clock.now()) == len(PREFIXES)
        found = await connection.fetch("SELECT network, last - first + 1 FROM batch WHERE tier = 0 ORDER BY network")
    assert [tuple(row) for row in found] == [("", 1), ("broadnet", 1), ("mobile", 2), ("telecom", 3), ("unicom", 1)]


async def test_nobody_is_told_apart_where_every_gateway_is_for_all(district: District) -> None:
    for gateways in ([of("a", "mobile")], [of("a"), of("b")]):
        async with district.database.transaction() as connection:
            await networks.know(connection, gateways)
    await district.village(1, 80, wechat=0)
    await numbers(district)
    await district.issue(7)
    await district.advance()
    assert set(await labelled(district)) == {""}
    assert len(await district.claim("sms")) == 2, "the vulnerable and the others"


async def test_every_carrier_gets_its_own_and_who_is_for_all_stands_in(tmp_path: Path, district: District) -> None:
    mobile = replace(sms("mobile", rate=500), networks=("mobile",))
    unicom = replace(sms("unicom", rate=500), networks=("unicom",))
    rest = sms("rest", rate=500, priority=10)
    async with carriers(tmp_path, district, rest, mobile, unicom) as at, at.worker():
        await at.connected()
        await district.village(1, 400, wechat=0)
        await numbers(district)
        district.clock = ManualClock(SystemClock().now())
        await district.issue(7, policy=SMS_ONLY)
        await at.settled(7, within=60)
        assert {one.address[:3] for one in at.taken("mobile")} == {"138", "170"}
        assert {one.address[:3] for one in at.taken("unicom")} == {"186"}
        assert {one.address[:3] for one in at.taken("rest")} == {"189", "192", "134", "199", "999"}

        at.processes["unicom"].kill()
        district.clock = ManualClock(SystemClock().now())
        await district.issue(8, policy=SMS_ONLY)
        await at.settled(8, within=30)
        assert "186" in {one.address[:3] for one in at.taken("rest") if one.alert == 8}
        assert "138" not in {one.address[:3] for one in at.taken("rest")}
        report = at.report()
        assert len({(one.alert, one.ordinal) for one in report.taken}) == 2 * 400
        assert await district.breaches(8) == []


async def test_a_wechat_address_goes_to_the_platform_that_its_form_says(district: District) -> None:
    await district.village(1, 60)
    async with district.database.connection() as connection:
        await connection.execute(
            """
            UPDATE contact SET address = CASE household_id % 3 WHEN 0 THEN 'wecom:m' || id WHEN 1 THEN 'group:g' || id
                                         ELSE 'oDaohuRehearsal' || lpad(id::text, 13, '0') END
            WHERE medium = 'wechat'
            """
        )
    await district.issue(7)
    assert await district.advance() == 60
    async with district.database.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT DISTINCT b.network, left(d.address, 6) FROM batch b
            JOIN delivery d ON d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last
            """
        )
    assert {tuple(row) for row in rows} == {("wecom", "wecom:"), ("group", "group:"), ("official", "oDaohu")}
    assert await district.breaches(7) == []
