"""How long an answer has been waited for on a connection that was not read all the while."""

from __future__ import annotations

import asyncio
import socket

import pytest

from channels.sms.session.connection import Connection


async def test_what_could_not_be_read_has_not_been_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    now = 1000.0
    ours, theirs = socket.socketpair()
    with theirs:
        _, connection = await loop.create_connection(lambda: Connection(12, 4096, 60), sock=ours)
        monkeypatch.setattr(loop, "time", lambda: now)
        since = now
        connection.hold(True)
        now += 500
        assert connection.waited(since) == 0
        connection.hold(False)
        now += 7
        assert connection.waited(since) == 7
        assert connection.waited(now - 3) == 3
        connection.end("done")
        monkeypatch.undo()
        await connection.ended
