"""What the peer brings to `/callbacks/<gateway>`: reports above all, signs of life; from a platform above, broadcasts.

It is answered as its protocol wants it, with an EBDResponse in a package of its own. Who is not the peer gets no such
answer. A report that comes again, or late, says what it said before; the core keeps the first of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import CallbackResult, Inquiry, Order, OrderStanding, Receipt
from channels.http.provider import Now
from channels.loudspeaker.ebd import ebd, package
from channels.loudspeaker.ebd.conversation import MEANINGS, Sealing
from channels.loudspeaker.ebd.documents import (
    EBM,
    Body,
    ConnectionCheck,
    EBDResponse,
    EBMStateRequest,
    EBMStateResponse,
    OMDRequest,
    Resource,
    Result,
)
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.evidence import ENDS, receipts
from channels.loudspeaker.ebd.serials import Packages
from channels.loudspeaker.ebd.settings import EbdOptions
from channels.loudspeaker.ebd.shape import MissingError
from channels.loudspeaker.ebd.standing import report
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.policy import Policy

AHEAD = timedelta(minutes=10)
"""How far a peer's clock may be ahead of ours."""

SMALL = 64 * 1024
"""Octets of a document that is read before its signature is looked at: a tree takes many times as much memory."""

CONTENT_TYPE = "application/octet-stream"
_BOUNDARY = re.compile(r'boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?(?:;|$)')
LONGEST_HEAD = 4096
"""Octets of what precedes a form's part."""


@dataclass(frozen=True, slots=True)
class Door:
    """One gateway's."""

    options: EbdOptions
    trust: Trust
    sealing: Sealing
    packages: Packages
    now: Now

    def read(self, headers: Mapping[str, str], body: bytes) -> CallbackResult:
        """Receipts, and the answer; `UnauthenticatedError` when it is not the peer, `InputError` for what is no
        package. Verifies and signs: some milliseconds, of a device whatever it takes."""
        opened = package.unpack([uploaded(headers.get("content-type", ""), body)])
        proven = self.trust.check(opened, self.options.verify) if len(opened.document) > SMALL else None
        try:
            document = ebd.read(opened.document, self.options.dialect)
        except MissingError as problem:
            return self._incomplete(opened, problem)
        good = self._admit(opened, document, proven)
        match document.body:
            case EBM():
                return self._ordered(opened.document, document.id, good)
            case EBMStateRequest() as asked:
                return self._asked(document.id, asked.ebm.ebmid)
        code, said, found = self._heard(document)
        return self._answer(document.id, code, said, found)

    def _admit(self, opened: package.Package, document: EBD, proven: bool | None) -> bool:
        """Whether its signature is good; raises for what is not the peer's."""
        if document.source.ebrid != self.options.peer:
            raise UnauthenticatedError("EBD 不是对方平台的。", remedy="请核对网关的 peer。")
        if document.id != opened.id:
            raise UnauthenticatedError("EBD 的文件名与编号不一致。")
        if isinstance(document.body, ConnectionCheck):  # it has no effect; its signature is not looked at anywhere
            return False
        if proven is None:
            proven = self.trust.check(opened, self.options.verify)
        age = self.now() - document.time
        if age > timedelta(seconds=self.options.fresh) or age < -AHEAD:
            raise UnauthenticatedError(
                "EBD 的时间与本机相差太多。", remedy="请核对双方时钟；若时钟无误，这是被重放的旧数据包。"
            )
        return proven

    def _ordered(self, written: bytes, ebdid: str, proven: bool) -> CallbackResult:
        """A broadcast that somebody here has to decide about."""

        def untaken() -> CallbackResult:
            return self._answer(ebdid, Result.RECEIVED, "已收到，本平台不承接上级播发，未处理", ())

        taken = self._answer(ebdid, Result.VALID, "已收到，等待本平台处理", ())
        return replace(taken, order=Order(written, proven, untaken))

    def _asked(self, ebdid: str, ebmid: str) -> CallbackResult:
        """How a broadcast stands; what is answered where nobody knows of it."""

        def answer(standing: OrderStanding) -> CallbackResult:
            return self._say(ebdid, report(standing, self.options, self.now()), ())

        return replace(self._answer(ebdid, Result.OTHER, "没有收到过这个 EBMID", ()), inquiry=Inquiry(ebmid, answer))

    def _incomplete(self, opened: package.Package, problem: MissingError) -> CallbackResult:
        """Tell a peer that has proven itself what is lacking; anybody else learns nothing."""
        if self.options.verify is not Policy.IGNORE:
            self.trust.check(opened, Policy.REQUIRE)
        return self._answer(opened.id, Result.INCOMPLETE, problem.what, ())

    def _heard(self, document: EBD) -> tuple[str, str, Sequence[Receipt]]:
        """The ResultCode and its words, and what is proven."""
        match document.body:
            case EBMStateResponse() as report:
                return self._reported(report)
            case ConnectionCheck() | EBDResponse():
                answer = Result.VALID, ""
            case OMDRequest():
                answer = Result.OTHER, "本平台不提供此项查询"
            case None:
                answer = Result.OTHER, "不认识的 EBDType"
            case _:
                answer = Result.RECEIVED, "已收到，未处理"
        return *answer, ()

    def _reported(self, report: EBMStateResponse) -> tuple[str, str, Sequence[Receipt]]:
        if not report.ebm.ebmid.startswith(self.options.source) or not self.options.dialect.is_message(
            report.ebm.ebmid
        ):
            return Result.OTHER, "不是本平台的 EBMID", ()
        found = receipts(report, self.options.dialect, self.now())
        items = report.played.items if report.played is not None else ()
        if report.brd_state_code in ENDS and not found and not any(item.ebrbs for item in items):
            return Result.INCOMPLETE, "缺少各终端的播发情况（ResBrdItem）", ()
        return Result.VALID, "", found

    def _answer(self, related: str, code: str, said: str, found: Sequence[Receipt]) -> CallbackResult:
        return self._say(related, EBDResponse(result_code=code, result_desc=said or MEANINGS[code]), found)

    def _say(self, related: str, body: Body, found: Sequence[Receipt]) -> CallbackResult:
        options = self.options
        document = EBD(
            self.packages.next(),
            type(body).__name__,
            Resource(ebrid=options.source, url=options.callback_url or None),
            Resource(ebrid=options.peer),
            self.now().replace(microsecond=0),
            related,
            body,
        )
        return CallbackResult(found, (), 200, CONTENT_TYPE, self.sealing.close(document))


def uploaded(content_type: str, body: bytes) -> bytes:
    """The package in a request: the first file of a form (RFC 7578), or the body itself; `InputError` for a form that
    is none."""
    if not content_type.lower().startswith("multipart/"):
        return body
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise InputError("回调的表单没有 boundary。")
    line = b"--" + found[1].strip().encode()
    at = 0
    while body.startswith(line, at := body.find(line, at)):
        start = at + len(line)
        head_end = body.find(b"\r\n\r\n", start, start + LONGEST_HEAD)
        if head_end < 0:
            break
        end = body.find(b"\r\n" + line, head_end + 2)
        if end < 0:
            raise InputError("回调的表单不完整。")
        if b"filename" in body[start:head_end].lower():
            return body[head_end + 4 : end]
        at = end + 2
    raise InputError("回调的表单里没有文件。")
