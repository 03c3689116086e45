"""The driver of providers that are called over HTTP, with a made-up provider on a real socket."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    Envelope,
    GatewaySettings,
    Medium,
    Message,
    Outcome,
    Rejected,
    Unknown,
)
from broadcaster.retrying import retry_after
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.http.client import LARGEST
from channels.http.driver import HttpDriver
from channels.http.exchange import Request
from tests.harness.pigeons import Loft, PigeonOptions, Pigeons, listening
from tests.harness.ports import free_port


def gateway(url: str, **options: object) -> GatewaySettings:
    given = {"endpoint": url, "connect_timeout": 2, "answer_timeout": 5, **options}
    return GatewaySettings("loft", Medium.SMS, "pigeon", rate=100, options=given)


def driver(url: str, **options: object) -> HttpDriver:
    settings = gateway(url, **options)
    read = PigeonOptions.read(settings)
    return HttpDriver(Pigeons(read), read, read.trust(settings), MemoryJournal(), receipts=False, replies=False)


def envelopes(count: int, address: str = "roof") -> list[Envelope]:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return [Envelope(DeliveryKey(1, number, 1), address, Message("台风"), 0, expires) for number in range(1, count + 1)]


async def sent(driver: HttpDriver, batch: Sequence[Envelope]) -> list[Outcome]:
    return [outcome async for outcome in driver.send(batch)]


@asynccontextmanager
async def opened(loft: Loft, **options: object) -> AsyncIterator[HttpDriver]:
    made = driver(loft.url, **options)
    await made.open(MemoryInbox())
    try:
        yield made
    finally:
        await made.close()


async def test_a_stale_credential_is_renewed_once_however_many_requests_found_it_stale() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        if request.headers["Authorization"] == "token-1":
            return web.Response(status=403, body=b"stale")
        return loft.landed((await request.json())["to"])

    async with listening(handle) as loft, opened(loft, window=20) as pigeons:
        found = await sent(pigeons, envelopes(20))
        assert all(isinstance(outcome, Accepted) for outcome in found), found
        assert loft.tokens == 2
        assert len(await sent(pigeons, envelopes(20))) == 20
        assert loft.tokens == 2


async def test_a_credential_that_stays_stale_is_tried_once_more_and_then_waits() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        return web.Response(status=403, body=b"stale")

    async with listening(handle) as loft, opened(loft) as pigeons:
        (outcome,) = await sent(pigeons, envelopes(1))
        assert isinstance(outcome, Deferred)
        assert (outcome.reason, outcome.after) == ("令牌过期", 30)
        assert len(loft.flights) == 2


async def test_each_of_a_group_has_its_own_outcome() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        keys = list((await request.json())["to"])
        return web.json_response({"landed": {keys[0]: "nobody", keys[1]: "ring", "9-9-9": "ring"}})

    async with listening(handle) as loft, opened(loft, flock=3) as pigeons:
        found = {outcome.key.ordinal: outcome for outcome in await sent(pigeons, envelopes(3))}
    assert len(loft.flights) == 1
    assert isinstance(found[1], Rejected)
    assert isinstance(found[2], Accepted)
    assert isinstance(found[3], Unknown), "the answer does not mention it: it may have gone out"


async def test_what_cannot_go_out_is_rejected_before_anything_is_written() -> None:
    async with listening() as loft, opened(loft, flock=5) as pigeons:
        found = await sent(pigeons, [*envelopes(1, "the moon"), *envelopes(3)[1:]])
    assert Counter(map(type, found)) == {Rejected: 1, Accepted: 2}
    assert [list(flight) for flight in loft.flights] == [["1-2-1", "1-3-1"]]


async def test_too_many_requests_wait_as_long_as_the_provider_says_and_the_rest_is_not_written() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "17"})

    async with listening(handle) as loft, opened(loft, window=2) as pigeons:
        found = await sent(pigeons, envelopes(50))
    assert all(isinstance(outcome, Deferred) and outcome.after == 17 for outcome in found), found
    assert len(loft.flights) <= 2


@pytest.mark.parametrize(
    ("status", "kind", "after"),
    [(403, Deferred, 30), (404, Deferred, 30), (408, Deferred, 1), (500, Unknown, None), (502, Unknown, None)],
)
async def test_an_answer_that_is_not_the_providers_own_is_judged_by_its_status(
    status: int, kind: type[Outcome], after: float | None
) -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>proxy</html>")

    async with listening(handle) as loft, opened(loft) as pigeons:
        (outcome,) = await sent(pigeons, envelopes(1))
    assert type(outcome) is kind
    assert getattr(outcome, "after", None) == after


async def test_a_redirect_is_not_followed() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{loft.url}/token"})

    async with listening(handle) as loft, opened(loft) as pigeons:
        (outcome,) = await sent(pigeons, envelopes(1))
        assert isinstance(outcome, Unknown)
        assert loft.tokens == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[" * 100_000, {}),
        (b'{"landed": 7}', {}),
        (b"", {}),
        (b'{"landed": {"1-1-1": "ring"}}' + b" " * LARGEST, {}),
        (gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}),
    ],
    ids=["deep", "shape", "empty", "long", "bomb"],
)
async def test_nonsense_leaves_it_open_whether_it_was_sent(body: bytes, headers: dict[str, str]) -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    async with listening(handle) as loft, opened(loft) as pigeons:
        (outcome,) = await sent(pigeons, envelopes(1))
        assert isinstance(outcome, Unknown), outcome
        loft.handle = None
        assert isinstance((await sent(pigeons, envelopes(1)))[0], Accepted)


async def test_a_provider_that_falls_silent_keeps_only_what_was_written() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with listening(handle) as loft, opened(loft, window=3, connect_timeout=2, answer_timeout=0.5) as pigeons:
        found = await sent(pigeons, envelopes(100))
    assert Counter(map(type, found)) == {Unknown: 3, Deferred: 97}
    assert len(loft.flights) == 3


async def test_an_answer_that_drips_is_given_up() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    async with listening(handle) as loft, opened(loft, connect_timeout=2, answer_timeout=0.5) as pigeons:
        (outcome,) = await sent(pigeons, envelopes(1))
    assert isinstance(outcome, Unknown)


async def test_the_window_holds_for_all_sends_together() -> None:
    release = asyncio.Event()

    async def handle(loft: Loft, request: web.Request) -> web.Response:
        if loft.flying == 4:
            release.set()
        await release.wait()
        return loft.landed((await request.json())["to"])

    async with listening(handle) as loft, opened(loft, window=4) as pigeons:
        found = await asyncio.gather(*(sent(pigeons, envelopes(10)) for _ in range(5)))
    assert all(isinstance(outcome, Accepted) for outcomes in found for outcome in outcomes)
    assert loft.most_flying == 4


async def test_a_send_that_is_given_up_gives_its_place_back() -> None:
    async def handle(loft: Loft, request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with listening(handle) as loft, opened(loft, window=1) as pigeons:
        sending = asyncio.create_task(sent(pigeons, envelopes(2)))
        await loft.went_on.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        loft.handle = None
        assert isinstance((await sent(pigeons, envelopes(1)))[0], Accepted)


class Lame(Pigeons):
    """Cannot write."""

    def request(self, group: Sequence[Envelope]) -> Request:
        raise ZeroDivisionError


class Forgetful(Pigeons):
    """Leaves the last one at home."""

    def groups(self, envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
        return super().groups(envelopes[:-1])


@pytest.mark.parametrize(("faulty", "fault"), [(Lame, ZeroDivisionError), (Forgetful, RuntimeError)])
async def test_a_fault_of_the_provider_class_ends_the_send_instead_of_hanging_it(
    faulty: type[Pigeons], fault: type[Exception]
) -> None:
    async with listening() as loft:
        settings = gateway(loft.url)
        options = PigeonOptions.read(settings)
        trust, journal = options.trust(settings), MemoryJournal()
        lame = HttpDriver(faulty(options), options, trust, journal, receipts=False, replies=False)
        await lame.open(MemoryInbox())
        with pytest.raises(fault):
            await sent(lame, envelopes(3))
        await lame.close()


async def test_what_is_under_way_is_answered_when_the_driver_closes_and_the_rest_is_not_written() -> None:
    release = asyncio.Event()

    async def handle(loft: Loft, request: web.Request) -> web.Response:
        await release.wait()
        return loft.landed((await request.json())["to"])

    async with listening(handle) as loft:
        pigeons = driver(loft.url, window=2)
        await pigeons.open(MemoryInbox())
        sending = asyncio.create_task(sent(pigeons, envelopes(10)))
        await loft.went_on.wait()
        closing = asyncio.create_task(pigeons.close())
        await asyncio.sleep(0)
        release.set()
        found = await sending
        await closing
    assert {type(outcome) for outcome in found} == {Accepted, Deferred}
    assert sum(isinstance(outcome, Accepted) for outcome in found) == len(loft.flights) <= 2


async def test_where_nobody_listens_everything_is_deferred_and_asked_once_for_each_place() -> None:
    async with listening() as loft:
        pigeons = driver(loft.url, window=2)
        await pigeons.open(MemoryInbox())
    found = await sent(pigeons, envelopes(100))
    await pigeons.close()
    assert all(isinstance(outcome, Deferred) and outcome.after == 1 for outcome in found)


async def test_certificates_are_checked_and_an_authority_of_ones_own_can_be_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    async with listening(tls=context) as loft:
        with pytest.raises(UnavailableError, match="没有应答"):
            await driver(loft.url).open(MemoryInbox())
        async with opened(loft, ca_file=str(file)) as pigeons:
            assert isinstance((await sent(pigeons, envelopes(1)))[0], Accepted)
        with pytest.raises(UnavailableError):
            await driver(loft.url.replace("localhost", "127.0.0.1"), ca_file=str(file)).open(MemoryInbox())


async def test_a_server_that_is_not_the_providers_is_unavailable() -> None:
    async with listening() as loft:
        with pytest.raises(UnavailableError, match="令牌"):
            await driver(f"{loft.url}/elsewhere").open(MemoryInbox())
    with pytest.raises(UnavailableError, match="没有应答"):
        await driver(f"http://127.0.0.1:{free_port()}").open(MemoryInbox())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("endpoint", "http://pigeons.example"),
        ("endpoint", "https://user:word@pigeons.example"),
        ("endpoint", "https://pigeons.example/?a=b"),
        ("endpoint", "pigeons.example"),
        ("endpoint", "ftp://pigeons.example"),
        ("endpoint", "https://[::1"),
        ("window", 0),
        ("answer_timeout", 0),
        ("ca_file", "/nowhere/ca.pem"),
        ("wings", 2),
    ],
)
def test_a_wrong_option_is_named(option: str, value: object) -> None:
    settings = gateway("https://pigeons.example", **{option: value})
    with pytest.raises(SettingsError, match=option) as caught:
        PigeonOptions.read(settings).trust(settings)
    assert "word" not in str(caught.value)


def test_a_retry_after_is_seconds_or_a_date_and_never_absurd() -> None:
    now = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
    assert retry_after(None, now) is None
    assert retry_after("120", now) == 120
    assert retry_after(format_datetime(now + timedelta(seconds=90), usegmt=True), now) == 90
    assert retry_after(format_datetime(now - timedelta(seconds=90), usegmt=True), now) == 0
    assert retry_after("9" * 400, now) == 3600
    assert retry_after("soon", now) is None
