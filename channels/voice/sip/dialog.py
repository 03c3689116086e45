"""A dialog that we began (RFC 3261 section 12): what its requests carry."""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.voice.sip.header import branch, party, split
from channels.voice.sip.identity import Identity
from channels.voice.sip.message import Header, Request, Response, request


@dataclass(slots=True)
class Dialog:
    """`sender` and `recipient` are From and To with their tags; `target` is where the other end says it is."""

    identity: Identity
    call_id: str
    sender: str
    recipient: str
    target: str
    routes: tuple[str, ...]
    sequence: int
    heard: int = -1
    accepted: Request | None = field(default=None)

    @classmethod
    def of(cls, identity: Identity, invite: Request, response: Response) -> Dialog:
        """The dialog that a response to our INVITE has made."""
        contact = next(iter(split(response.first("contact"))), "")
        recorded = [one for value in response.all("record-route") for one in split(value)]
        number, _ = invite.sequence
        return cls(
            identity,
            invite.call_id,
            invite.first("from"),
            response.first("to"),
            _uri(contact) or invite.uri,
            tuple(reversed(recorded)),
            number,
        )

    @property
    def tag(self) -> str:
        """The other end's."""
        return party(self.recipient).tag

    def request(self, method: str, *, extra: tuple[Header, ...] = (), body: bytes = b"") -> Request:
        """The next request in it."""
        self.sequence += 1
        return self._request(method, self.sequence, extra, body)

    def acknowledge(self, response: Response) -> Request:
        """The ACK of a response that accepts; the same number as the INVITE's, a branch of its own."""
        number, _ = response.sequence
        return self._request("ACK", number, (), b"")

    def _request(self, method: str, sequence: int, extra: tuple[Header, ...], body: bytes) -> Request:
        headers = self.identity.common(self.call_id, self.sender, self.recipient, sequence, method)
        headers += [("route", route) for route in self.routes]
        return request(method, self.target, [*headers, *extra], body)


def refusal_acknowledged(invite: Request, response: Response) -> Request:
    """The ACK of a response that refuses: in the INVITE's own transaction (RFC 3261 section 17.1.1.3)."""
    return _beside(invite, "ACK", response.first("to"))


def cancelled(invite: Request) -> Request:
    """The CANCEL of an INVITE (section 9.1)."""
    return _beside(invite, "CANCEL", invite.first("to"))


def _beside(invite: Request, method: str, recipient: str) -> Request:
    number, _ = invite.sequence
    kept = [
        (name, value) for name, value in invite.headers if name in {"via", "max-forwards", "from", "call-id", "route"}
    ]
    return request(method, invite.uri, [*kept, ("to", recipient), ("cseq", f"{number} {method}")])


def transaction(message: Request | Response) -> tuple[str, str]:
    """Branch and method: what a response's transaction is known by."""
    return branch(message.first("via")), message.sequence[1]


def _uri(contact: str) -> str:
    """A contact's URI, if it is one that can stand in a request line."""
    uri = party(contact).uri
    return uri if uri.lower().startswith(("sip:", "sips:")) and not any(one.isspace() for one in uri) else ""
