"""The main job, whole: district, rehearsal, house and worker, from the issue of an alert to its accounts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from broadcaster.conservation import breaches
from broadcaster.demo import play
from broadcaster.demo.accounting import Accounting
from broadcaster.progress import Progress


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
        short, households=400, seed=3, port=port, public_url=f"http://127.0.0.1:{port}", progress=lambda *_: None
    ) as demo:
        outcome = await play.perform(demo, "rainstorm", show, lambda *both: accounts.append(both))
        report = demo.rehearsal.report()
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
    assert report.audio  # loudspeakers decoded what they were given
