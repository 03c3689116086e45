"""One conversation with the peer's platform: an EBD goes out in a POST, its answer comes back in the same exchange."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.errors import InputError, UnauthenticatedError
from channels.http.client import Client
from channels.http.exchange import Answer, NonsenseError, Request
from channels.http.provider import Now
from channels.loudspeaker.ebd import ebd, package, signature
from channels.loudspeaker.ebd.documents import Body, ConnectionCheck, EBDResponse, Resource, Result
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.package import File
from channels.loudspeaker.ebd.profile import Profile
from channels.loudspeaker.ebd.serials import Packages
from channels.loudspeaker.ebd.settings import EbdOptions
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.seal import Seal
from channels.loudspeaker.signing.signer import Signer
from channels.redaction import redacted

LARGEST_ANSWER = 8 * 1024 * 1024
"""Octets of an answer: a report about ten thousand terminals has three million."""

GOOD = 200
MEANINGS = {
    Result.RECEIVED: "收到，未处理",
    Result.VALID: "校验成功",
    Result.UNREADABLE: "解析失败",
    Result.INCOMPLETE: "内容缺失",
    Result.SIGNATURE: "签名失败",
    Result.OTHER: "其他错误",
}


class StatusError(NonsenseError):
    """An answer of HTTP's own; `after`: seconds that it asks us to wait, where it does."""

    def __init__(self, status: int, after: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.after = after


class UnprovenError(Exception):
    """There is an answer, and its signature is not the peer's."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """How our packages are closed: who signs, with which certificate, in which dialect."""

    signer: Signer
    serial: str
    issuer: str
    profile: Profile

    def close(self, document: EBD, files: Sequence[File] = ()) -> bytes:
        """The signed package. Blocks for a device; `UnavailableError` when there is no signature."""
        written = ebd.write(document, self.profile)
        signed = self.signer.sign(signature.signed_octets(written, document.time, self.profile))
        seal = Seal(document.time, self.serial.upper(), signed)
        return package.pack(document.id, written, signature.write(document.id, seal, self.profile, self.issuer), files)


class Conversation:
    """What one slot says to the peer, and what it answers."""

    def __init__(
        self, client: Client, options: EbdOptions, sealing: Sealing, trust: Trust, packages: Packages, now: Now
    ) -> None:
        self._client = client
        self._options = options
        self._sealing = sealing
        self._trust = trust
        self._packages = packages
        self._now = now

    async def say(self, body: Body, files: Sequence[File] = ()) -> EBD:
        """The answer. Raises `NotWrittenError` and `UnansweredError` as the client does, `NonsenseError` for an answer
        that is no EBD to this one, `UnprovenError`, and `UnavailableError` when nobody signs."""
        document = self._document(body)
        sealed = await asyncio.to_thread(self._sealing.close, document, files)
        request = posting(f"EBDT_{document.id}.tar", sealed, type(body).__name__, self._options)
        return await asyncio.to_thread(self._read, await self._client.exchange(request), document)

    def _document(self, body: Body) -> EBD:
        options, kind = self._options, type(body).__name__
        ebdid = f"01{options.source}{'0' * 16}" if isinstance(body, ConnectionCheck) else self._packages.next()
        source = Resource(ebrid=options.source, url=options.callback_url or None)
        moment = self._now().replace(microsecond=0)
        return EBD(ebdid, kind, source, Resource(ebrid=options.peer), moment, "", body)

    def _read(self, answer: Answer, document: EBD) -> EBD:
        if answer.status != GOOD:
            raise StatusError(answer.status, answer.retry_after)
        try:
            opened = package.unpack([answer.body])
            found = ebd.read(opened.document, self._options.dialect)
            policy = Policy.IGNORE if document.type == "ConnectionCheck" else self._options.verify_answers
            self._trust.check(opened, policy)
        except UnauthenticatedError as problem:
            raise UnprovenError(problem.what) from problem
        except InputError as problem:
            raise NonsenseError(f"答复不是 EBD：{problem.what}") from problem
        if found.source.ebrid != self._options.peer:
            raise NonsenseError("答复是别的平台的")
        if found.related and found.related != document.id:
            raise NonsenseError("答复是对另一份 EBD 的")
        return found


def posting(name: str, content: bytes, label: str, options: EbdOptions) -> Request:
    """A POST of one file as a form (RFC 7578), the way these platforms take packages."""
    boundary = secrets.token_hex(16)
    before = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "*/*"}
    body = b"".join((before.encode(), content, f"\r\n--{boundary}--\r\n".encode()))
    return Request(label, options.url, headers, body)


def meaning(answer: EBDResponse) -> str:
    """A ResultCode in words, and what the peer says besides."""
    code = answer.result_code
    word = MEANINGS.get(code, "未知的 ResultCode")
    said = redacted(answer.result_desc or "")
    return f"{redacted(code)} {word}" + (f"（{said}）" if said and said != word else "")
