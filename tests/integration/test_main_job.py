"""The main job, whole: district, rehearsal, house and worker, from the issue of an alert to its accounts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from broadcaster.cli.serving import serve_web
from broadcaster.conservation import breaches
from broadcaster.demo import play
from broadcaster.demo.accounting import Accounting
from broadcaster.progress import Progress
from broadcaster.rehearsal.script import APPID, CORPID


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


async def test_one_alert_reaches_every_household_and_comes_back_accounted_for(short: Path) -> None:
    port = free_port()
    acts: list[str] = []
    accounts: list[tuple[Accounting, Accounting]] = []

    def show(act: str, _: Progress | None) -> None:
        if act not in acts:
            acts.append(act)

    async with play.set_stage(
        short,
        households=400,
        seed=3,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        progress=lambda *_: None,
        serve=serve_web,
    ) as demo:
        outcome = await play.perform(demo, "rainstorm", show, lambda *both: accounts.append(both))
        report = await demo.report()
        async with demo.house.database.connection() as connection:
            alerts = [record["id"] for record in await connection.fetch("SELECT id FROM alert ORDER BY id")]
            sums = [await breaches(connection, alert_id) for alert_id in alerts]
            texts = set(report.texts.values())

    one = outcome.accounting
    order = outcome.mobilization
    assert acts == ["红色预警", "动员令", "更新", "解除", "解除动员"]
    assert accounts == [(one, order)]
    assert one.households == 400 == one.reached_households + one.unreached_households
    assert one.pending_households == 0
    assert one.deliveries == sum(one.states.values())
    assert one.states["queued"] == one.states["unknown"] == 0
    assert (one.lost, one.duplicates, outcome.overtakings) == (0, 0, 0)
    accounts_used = {message.account for message in report.taken}
    assert {"mobile", "others", "mail", APPID, CORPID} <= accounts_used, "CMPP, SMPP, SMTP and WeChat's platforms"
    platforms = {(one.account, one.address.startswith("wecom:")) for one in report.taken if one.channel == "wechat"}
    assert platforms == {(APPID, False), (CORPID, True)}, "to each platform its people"
    cards = {message.ref for message in report.taken if message.account == APPID}
    assert cards & report.acknowledged_receipts, "the official account's receipts came back"
    assert report.unnamed == 0, "the carriers took nothing that the ledger does not know"
    mails = {message.ref for message in report.taken if message.account == "mail"}
    assert mails & report.acknowledged_receipts, "delivery reports came back"
    assert one.units == one.acknowledged_units + one.exhausted_units
    assert one.door_tasks >= one.unreached_households
    assert order.units == order.acknowledged_units + order.exhausted_units == one.units
    assert order.acknowledged_units > 0
    assert (order.households, order.lost, order.duplicates) == (0, 0, 0)
    assert order.deliveries == sum(order.states.values())
    assert order.states["queued"] == order.states["unknown"] == 0
    assert any("动员令" in text for text in texts)
    assert any("条待确认" in text for text in texts), "who answered without a code was asked back"
    assert sums == [[], [], [], [], []]
    assert all("演练" in text or "DRILL" in text for text in texts if text)
    speakers = [message for message in report.taken if message.account == "terminals"]
    assert {message.alert for message in speakers} >= {1, 3, 4}, "the warning, its update and the all-clear"
    assert {heard.problem for heard in report.audio.values()} == {""}, "loudspeakers fetched and decoded what was meant"
    assert report.sounded
