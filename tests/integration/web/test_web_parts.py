"""What composition plugs in: the doorbell's health, CAP, providers' callbacks."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from broadcaster.doorbell import WORK
from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import CallbackResult, Evidence, GatewaySettings, Medium, Receipt, Reply
from broadcaster.web import callbacks
from broadcaster.web.context import Callback, Context, Probe
from tests.harness.web import Make, Web


async def _fine() -> str:
    return ""


async def _down() -> str:
    return "does not answer"


@pytest.mark.parametrize(
    ("probes", "status", "word"),
    [
        ({"doorbell": _fine}, 200, "ready"),
        ({"doorbell": _down}, 200, "degraded"),
        ({"doorbell": _fine, "speech": _down}, 503, "unready"),
    ],
)
async def test_without_the_doorbell_we_are_degraded_without_others_unready(
    make_web: Make, context: Context, probes: dict[str, Probe], status: int, word: str
) -> None:
    web: Web = await make_web(replace(context, probes=probes))
    await web.worker_lives()
    answer = await web.client.get("/readyz")
    assert (answer.status, (await answer.json())["status"]) == (status, word)


async def test_without_a_cap_adapter_its_routes_say_so(make_web: Make, context: Context) -> None:
    web: Web = await make_web(replace(context, cap=None))
    assert (await web.client.get("/feeds/cap.atom")).status == 503
    answer = await web.ask("POST", "/api/v1/alerts", data=b"<a/>", headers={"Content-Type": "application/cap+xml"})
    assert answer.status == 503


@dataclass
class Provider:
    """A gateway's plugin: one shared secret, lines of receipts and replies."""

    name: str = "provider"
    channel: Medium = Medium.SMS

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        if headers.get("x-secret") != gateway.options["secret"]:
            raise UnauthenticatedError("签名不对。")
        if body == b"?":
            raise InputError("看不懂。")
        at = datetime(2026, 8, 9, tzinfo=UTC)
        receipts = [Receipt("r1", None, Evidence.DELIVERED, "", at)] if body else []
        replies = [Reply("m1", "+8613900000000", "1", at)] if body else []
        return CallbackResult(receipts, replies, 200, "text/plain", query.get("echostr", "ok").encode())


@dataclass
class Kept:
    """An inbox that notes what was stored, or fails to store it."""

    broken: bool = False
    receipts_kept: list[Receipt] = field(default_factory=list)
    replies_kept: list[Reply] = field(default_factory=list)

    async def receipts(self, items: Sequence[Receipt]) -> None:
        if self.broken:
            raise ConnectionError("database gone")
        self.receipts_kept += items

    async def replies(self, items: Sequence[Reply]) -> None:
        self.replies_kept += items


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def called(make_web: Make, context: Context, kept: Kept) -> Web:
    gateway = GatewaySettings("provider-1", Medium.SMS, "provider", 10, options={"secret": "s3"})
    web: Web = await make_web(replace(context, callbacks={"provider-1": Callback(gateway, Provider(), kept)}))
    return web


async def test_a_callback_is_stored_and_then_answered_in_the_providers_words(called: Web, kept: Kept) -> None:
    answer = await called.client.post("/callbacks/provider-1", data=b"x", headers={"X-Secret": "s3"})
    assert (answer.status, await answer.text(), answer.content_type) == (200, "ok", "text/plain")
    assert (len(kept.receipts_kept), len(kept.replies_kept)) == (1, 1)
    assert called.bells.rung == [WORK]
    echo = await called.client.get("/callbacks/provider-1?echostr=hello", headers={"X-Secret": "s3"})
    assert await echo.text() == "hello"


async def test_a_callback_that_is_forged_unreadable_or_too_large_stores_nothing(called: Web, kept: Kept) -> None:
    assert (await called.client.post("/callbacks/provider-1", data=b"x")).status == 401
    assert (await called.client.post("/callbacks/provider-1", data=b"?", headers={"X-Secret": "s3"})).status == 400
    large = await called.client.post("/callbacks/provider-1", data=b"x" * 300_000, headers={"X-Secret": "s3"})
    assert large.status == 400
    assert (await called.client.post("/callbacks/nobody", data=b"x", headers={"X-Secret": "s3"})).status == 404
    assert (kept.receipts_kept, kept.replies_kept) == ([], [])


async def test_a_callback_that_could_not_be_stored_is_not_answered_as_done(called: Web, kept: Kept) -> None:
    kept.broken = True
    answer = await called.client.post("/callbacks/provider-1", data=b"x", headers={"X-Secret": "s3"})
    assert answer.status == 503


class Bringer(Provider):
    """Brings files, and says where it was called."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def largest(self, gateway: GatewaySettings) -> int:
        return 1_000_000

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        self.threads.append(threading.current_thread().name)
        return super().parse(gateway, headers, query, body)


async def test_a_gateway_that_brings_files_has_room_for_them_and_is_heard_beside_the_loop(
    make_web: Make, context: Context, kept: Kept
) -> None:
    gateway = GatewaySettings("provider-1", Medium.SMS, "provider", 10, options={"secret": "s3"})
    bringer = Bringer()
    web = await make_web(replace(context, callbacks={"provider-1": Callback(gateway, bringer, kept)}))
    secret = {"X-Secret": "s3"}
    taken = await web.client.post("/callbacks/provider-1", data=b"x" * 900_000, headers=secret)
    assert (taken.status, len(kept.receipts_kept)) == (200, 1)
    assert bringer.threads != [threading.main_thread().name]
    assert (
        await web.client.post("/callbacks/provider-1", data=io.BytesIO(b"x" * 1_100_000), headers=secret)
    ).status == 400
    assert (await web.client.post("/callbacks/provider-1", data=b"x", headers={})).status == 401
    assert len(bringer.threads) == 2, "what is too large is not even looked at"


async def test_files_that_are_brought_have_room_together_only(make_web: Make, context: Context, kept: Kept) -> None:
    gateway = GatewaySettings("provider-1", Medium.SMS, "provider", 10, options={"secret": "s3"})
    web = await make_web(replace(context, callbacks={"provider-1": Callback(gateway, Bringer(), kept)}))
    table = web.client.app[callbacks.TABLE]
    table.put(callbacks.HELD - 1000)
    secret = {"X-Secret": "s3"}
    assert (await web.client.post("/callbacks/provider-1", data=b"x" * 5000, headers=secret)).status == 429
    assert table.held == callbacks.HELD - 1000
    assert (await web.client.post("/callbacks/provider-1", data=b"x" * 500, headers=secret)).status == 200
