from broadcaster.rehearsal.outbox import Outbox, Post, ReceiptPost, ReplyPost, split

MOST = 20_000


class Line:
    """A connection that remembers what was written."""

    def __init__(self) -> None:
        self.unacknowledged = 0
        self.most_unacknowledged = MOST
        self.written: list[int] = []
        self.open = True
        self.brought = 0

    def takes_post(self) -> bool:
        return self.open

    def write(self, post: Post) -> None:
        self.written.append(post.number)

    def forget(self, post: Post) -> None:
        post.rows = post.rows[self.brought :]


def receipts(rows: int = 1) -> ReceiptPost:
    return ReceiptPost(1.0, [("m", 1, 1, 1, True, "", "138", 1)] * rows)


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
    desk.outbox.add([receipts(MOST), receipts(), receipts()])
    assert line.written == [1]
    desk.outbox.acknowledge([1])
    assert line.written == [1, 2, 3]


async def test_what_people_say_goes_past_receipts_that_nobody_acknowledges() -> None:
    line = Line()
    desk = Desk(line)
    desk.outbox.add([receipts(MOST), receipts()])
    said = [ReplyPost([("r", "138", "求助", 1.0, "")] * (MOST // 2)) for _ in range(3)]
    desk.outbox.add([*said, receipts()])
    assert line.written == [1, 3, 4], "but does not flood the client either"
    desk.outbox.acknowledge([1])
    assert line.written == [1, 3, 4, 5]
    desk.outbox.acknowledge([3, 4, 5])
    assert line.written == [1, 3, 4, 5, 2, 6]


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


async def test_what_was_acknowledged_row_by_row_does_not_come_again() -> None:
    first, second = Line(), Line()
    desk = Desk(first)
    desk.outbox.add([receipts(5)])
    desk.outbox.acknowledge_part(1, receipts(2))
    assert (desk.stored, first.unacknowledged) == (2, 3)
    first.brought = 2
    desk.lines[:] = [second]
    desk.outbox.carrier_gone(first)
    assert (desk.again, first.unacknowledged, second.unacknowledged) == (3, 0, 3)
    desk.outbox.acknowledge_part(1, receipts(3))
    desk.outbox.acknowledge_part(1, receipts(3))
    assert (desk.stored, second.unacknowledged) == (5, 0)


async def test_connections_take_turns() -> None:
    lines = [Line(), Line(), Line()]
    lines[1].open = False
    desk = Desk(*lines)
    desk.outbox.add([receipts() for _ in range(6)])
    assert [len(line.written) for line in lines] == [3, 0, 3]


def test_rows_are_split_into_frames() -> None:
    assert split([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert split([], 2) == []
