"""What will be said of an alert is recorded while it waits for its approver: issuing it finds everything made."""

from __future__ import annotations

from pathlib import Path

from audiences.generator.places import DISTRICT_CODE
from broadcaster.demo.play import APPROVER
from broadcaster.ports import Medium
from broadcaster.speaking_ahead import SpeakingAhead
from tests.harness.ground import ground


def made_here(folder: Path) -> set[str]:
    return {one.name for one in (folder / "data" / "audio").rglob("*") if one.is_file()}


async def test_issuing_finds_every_recording_made(tmp_path: Path) -> None:
    async with ground(
        tmp_path, households=500, rates={Medium.LOUDSPEAKER: (100.0, 1), Medium.VOICE: (10.0, 1)}, policies=""
    ) as made:
        house = made.house
        ahead = SpeakingAhead(house.database, house.clock, house.office, house.recordings)
        assert not await ahead.look(), "nothing is before anybody"
        record = await made.draft("red", [DISTRICT_CODE])
        assert await ahead.look()
        assert not await ahead.look(), "once is enough"
        before = made_here(tmp_path)
        assert len([one for one in before if one.endswith(".mp3")]) == 1
        await house.issue(record.id, APPROVER)
        await house.recordings.prepare(record.id)
        assert made_here(tmp_path) == before


async def test_a_draft_that_is_changed_before_its_approver_is_spoken_anew(tmp_path: Path) -> None:
    async with ground(
        tmp_path, households=500, rates={Medium.LOUDSPEAKER: (100.0, 1), Medium.VOICE: (10.0, 1)}, policies=""
    ) as made:
        house = made.house
        ahead = SpeakingAhead(house.database, house.clock, house.office, house.recordings)
        record = await made.draft("red", [DISTRICT_CODE])
        await ahead.look()
        async with house.database.connection() as connection:
            await connection.execute("UPDATE alert SET version = version + 1 WHERE id = $1", record.id)
        assert await ahead.look()
