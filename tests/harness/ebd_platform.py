"""A lower platform as tests need it at hand: its gateway's settings, what it says, and one that answers as it is told.

What it says is made of the driver's own codec: the tests of that are elsewhere, against texts and programs of others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web

from broadcaster.ports import GatewaySettings, Medium
from channels.loudspeaker.ebd import ebd, package, signature
from channels.loudspeaker.ebd.documents import (
    Body,
    Coverage,
    EBDResponse,
    EBMStateResponse,
    MaybeResource,
    Playing,
    ResBrdInfo,
    ResBrdItem,
    Resource,
    WhichEBM,
)
from channels.loudspeaker.ebd.door import uploaded
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.profile import PROFILES
from channels.loudspeaker.signing.seal import Seal
from channels.loudspeaker.signing.sm2 import PrivateKey
from tests.harness.ebd_keys import OURS, OURS_SERIAL, THEIRS, THEIRS_SERIAL, public
from tests.harness.waiting import wait_until

PROFILE = PROFILES["2023"]
SOURCE, PEER = "43302120000000103010101", "43302120000000103010201"
EBMID = f"{SOURCE}202611280001"
TERMINALS = [f"5330212001000031401{number:04d}" for number in range(20)]
NOW = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)
FORM = "multipart/form-data; boundary=frontier"


def gateway(port: int = 1, /, **options: object) -> GatewaySettings:
    """A gateway to a platform that listens at `port`, with short waits."""
    given: dict[str, object] = {
        "endpoint": f"http://127.0.0.1:{port}/ebd",
        "source": SOURCE,
        "peer": PEER,
        "key": OURS,
        "cert_sn": OURS_SERIAL,
        "peer_keys": {THEIRS_SERIAL: public(THEIRS)},
        "connect_timeout": 2.0,
        "answer_timeout": 5.0,
        "heartbeat": 60.0,
        "gather": 0.05,
        "poll": 0,
        **options,
    }
    return GatewaySettings("speakers", Medium.LOUDSPEAKER, "ebd", rate=1000, rehearsal=True, options=given)


def said(
    body: Body | None,
    *,
    kind: str = "",
    at: datetime = NOW,
    related: str = "",
    source: str = PEER,
    secret: str | None = THEIRS,
    serial: str = THEIRS_SERIAL,
    number: int = 1,
) -> bytes:
    """A package of the platform's; `secret` None: not signed."""
    ebdid = f"10{source}20261128{number:08d}"
    document = EBD(
        ebdid, kind or type(body).__name__, Resource(ebrid=source), Resource(ebrid=SOURCE), at, related, body
    )
    written = ebd.write(document, PROFILE)
    if secret is None:
        return package.pack(ebdid, written)
    seal = Seal(at, serial, PrivateKey.read(secret).sign(written))
    return package.pack(ebdid, written, signature.write(ebdid, seal, PROFILE))


def posted(content: bytes, name: str = "EBDT_1.tar") -> bytes:
    """A package as a form with the boundary of `FORM`."""
    head = f'--frontier\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--frontier--\r\n"


def report(
    ends: dict[str, str], *, state: str = "3", ebmid: str = EBMID, rate: str = "", items: bool = True, why: str = ""
) -> EBMStateResponse:
    """A report about terminals, each with its BrdStateCode."""
    playing = tuple(
        Playing(
            rpt_time=NOW, brd_sys_info=terminal, start_time=NOW, end_time=NOW, brd_state_code=code, brd_state_desc=why
        )
        for terminal, code in ends.items()
    )
    item = ResBrdItem(ebras=MaybeResource(ebrid=PEER), ebrbs=playing)
    return EBMStateResponse(
        rpt_time=NOW,
        ebm=WhichEBM(ebmid=ebmid),
        brd_state_code=state,
        brd_state_desc=why or "播发",
        coverage=Coverage(coverage_rate=rate or None, area_code="330212000000"),
        played=ResBrdInfo(items=(item,)) if items else None,
    )


Answers = Callable[[EBD, package.Package], "bytes | web.Response | None"]
"""What to answer to a document: a package, something else, or nothing at all."""


def agreeing(document: EBD, _: package.Package) -> bytes:
    """ResultCode 1 to everything."""
    return said(EBDResponse(result_code="1", result_desc="好"), related=document.id, at=document.time)


class Platform:
    """Listens, remembers what came, and answers by `answers`. A `None` is silence."""

    def __init__(self) -> None:
        self.answers: Answers = agreeing
        self.heard: list[EBD] = []
        self.packages: list[package.Package] = []
        self.port = 0

    def of(self, kind: str) -> list[EBD]:
        """The documents of one kind that came."""
        return [one for one in self.heard if one.type == kind]

    async def until(self, kind: str, count: int) -> None:
        """Return when so many of a kind have come."""
        await wait_until(lambda: len(self.of(kind)) >= count, what=f"{count} of {kind}")

    async def take(self, request: web.Request) -> web.Response:
        opened = package.unpack([uploaded(request.headers["Content-Type"], await request.read())])
        document = ebd.read(opened.document, PROFILE)
        self.heard.append(document)
        self.packages.append(opened)
        answer = self.answers(document, opened)
        if answer is None:
            await asyncio.sleep(3600)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/octet-stream")
        assert isinstance(answer, web.Response)
        return answer


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """One that listens on this machine."""
    found = Platform()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/ebd", found.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()


def but(kind: str, answers: Answers) -> Answers:
    """`answers` to documents of one kind, consent to all others."""
    return lambda document, opened: (answers if document.type == kind else agreeing)(document, opened)


def result(code: str, words: str = "") -> Answers:
    """An EBDResponse with this ResultCode."""
    body = EBDResponse(result_code=code, result_desc=words)
    return lambda document, _: said(body, related=document.id, at=document.time)


def other_options(made: GatewaySettings, **options: object) -> GatewaySettings:
    """The same gateway with other options."""
    return replace(made, options={**made.options, **options})
