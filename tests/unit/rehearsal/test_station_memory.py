"""A station says again what was not confirmed, the less often the slower the centre is, and never all at once."""

from __future__ import annotations

from itertools import pairwise

from broadcaster.rehearsal.fronts.station_memory import MOST_PATIENCE, UNDER_WAY, Memory, Owed, told

PATIENCE = 3.0


def _owing(count: int) -> Memory:
    memory = Memory(PATIENCE)
    for serial in range(count):
        memory.put(serial, f"report {serial}".encode(), float(serial))
    memory.connected()
    return memory


def _said(memory: Memory, now: float) -> list[bytes]:
    return [told(one, now) for one in memory.due(now)]


def test_whom_nobody_confirms_says_one_report_at_a_time_and_waits_twice_as_long_each_time() -> None:
    memory = _owing(10)
    assert len(_said(memory, 0.0)) == 10
    moments = [at / 2 for at in range(1, 2 * 120) if _said(memory, at / 2)]
    assert moments[:4] == [3, 6, 12, 24], "one each"
    later = (after - before for before, after in pairwise(moments))
    assert all(gap <= MOST_PATIENCE * PATIENCE for gap in later), "it never gives up"


def test_a_centre_that_is_slow_is_not_given_everything_twice() -> None:
    memory, said, lag = Memory(PATIENCE), list[tuple[float, int]](), 10.0
    again = 0
    for now in range(300):
        memory.put(now, b"", float(now))
        due = memory.due(float(now))
        again += sum(one.tries > 0 for one in due)
        for one in due:
            told(one, float(now))
            said.append((now + lag, int(one.at)))
        while said and said[0][0] <= now:
            memory.confirmed(said.pop(0)[1], float(now))
    assert again <= 5


def test_a_long_memory_is_said_in_portions_oldest_first() -> None:
    memory = _owing(3 * UNDER_WAY)
    first = memory.due(0.0)
    assert [one.at for one in first] == [float(serial) for serial in range(UNDER_WAY)]
    for one in first:
        told(one, 0.0)
    assert memory.due(0.1) == []
    for serial in range(5):
        memory.confirmed(serial, 0.2)
    assert [one.at for one in memory.due(0.2)] == [float(UNDER_WAY + more) for more in range(5)]


def test_what_one_connection_has_lost_is_said_on_the_next() -> None:
    memory = _owing(2)
    lost = _said(memory, 0.0)
    memory.connected()
    assert _said(memory, 0.1) == lost
    one = memory.confirmed(1, 0.2)
    assert isinstance(one, Owed)
    assert one.tries == 2
    assert memory.confirmed(1, 0.3) is None
