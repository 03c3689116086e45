from broadcaster.rehearsal.outbox import ROWS_UNACKNOWLEDGED, Outbox, Post, split
from channels.line.wire import Receipts


class Line:
    """A connection that remembers what was written."""

    def __init__(self) -> None:
        self.unacknowledged = 0
        self.written: list[int] = []
        self.open = True

    def takes_post(self) -> bool:
        return self.open

    def write(self, frame: Post) -> None:
        self.written.append(frame.batch)


def receipts(rows: int = 1) -> Receipts:
    return Receipts(0, 1.0, [("m", 1, 1, 1, True, "")] * rows)


class Desk:
    def __init__(self, *lines: Line) -> None:
        self.stored = 0
        self.again = 0
        self.lines = list(lines)
        self.outbox = Outbox(self.lines, self._acknowledged, self._redelivered)

    def _acknowledged(self, post: Post) -> None:
        self.stored += len(post.rows)

    def _redelivered(self, post: Post) -> None:
        self.again += len(post.rows)


async def test_what_was_not_acknowledged_on_a_lost_connection_goes_to_the_next_in_its_order() -> None:
    first, second = Line(), Line()
    desk = Desk(first)
    desk.outbox.add([receipts(), receipts(), receipts()])
    desk.outbox.acknowledge([2])
    desk.lines[:] = [second]
    desk.outbox.carrier_gone(first)
    assert second.written == [1, 3]
    assert (desk.stored, desk.again, first.unacknowledged) == (1, 2, 0)


async def test_without_a_connection_everything_waits() -> None:
    desk = Desk()
    desk.outbox.add([receipts()])
    line = Line()
    desk.lines.append(line)
    desk.outbox.push()
    assert line.written == [1]


async def test_a_client_that_acknowledges_nothing_is_not_flooded() -> None:
    line = Line()
    desk = Desk(line)
    desk.outbox.add([receipts(ROWS_UNACKNOWLEDGED), receipts(), receipts()])
    assert line.written == [1]
    desk.outbox.acknowledge([1])
    assert line.written == [1, 2, 3]


async def test_an_acknowledgement_counts_once() -> None:
    line = Line()
    desk = Desk(line)
    desk.outbox.add([receipts(5)])
    desk.outbox.acknowledge([1, 1, 99])
    assert (desk.stored, line.unacknowledged) == (5, 0)


async def test_what_waited_too_long_is_sent_again() -> None:
    line = Line()
    desk = Desk(line)
    desk.outbox.add([receipts(2)])
    desk.outbox.redeliver(older_than=60)
    assert line.written == [1]
    desk.outbox.redeliver(older_than=0)
    assert (line.written, desk.again, line.unacknowledged) == ([1, 1], 2, 2)


async def test_connections_take_turns() -> None:
    lines = [Line(), Line(), Line()]
    lines[1].open = False
    desk = Desk(*lines)
    desk.outbox.add([receipts() for _ in range(6)])
    assert [len(line.written) for line in lines] == [3, 0, 3]


def test_rows_are_split_into_frames() -> None:
    assert split([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert split([], 2) == []
