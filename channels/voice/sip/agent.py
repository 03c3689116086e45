"""Our user agent on one way to the trunk: transactions, and which call a message belongs to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from broadcaster.ports import Journal
from channels.redaction import redacted
from channels.voice.sip.dialog import refusal_acknowledged, transaction
from channels.voice.sip.header import branch, party, sent_by
from channels.voice.sip.identity import ALLOW, PRODUCT, Identity, new_tag
from channels.voice.sip.message import Header, Request, Response, answer
from channels.voice.sip.timing import Patience, Timers
from channels.voice.sip.transaction import Heard, InviteTransaction, OtherTransaction, Transaction
from channels.voice.sip.wire import Wire

REMEMBERED = 1000
"""Requests of the trunk's whose answers are kept, to be given again."""

Silent = Callable[[], None]


class Party(Protocol):
    """A call, as the agent knows it."""

    def asked(self, request: Request) -> Response | None:
        """The answer to a request of the other end's; None to an ACK."""
        ...

    def accepted_again(self, response: Response) -> None:
        """A response that accepts an INVITE has come once more, or from another end (forking)."""
        ...


class Agent:
    """`broken` is called once, with the reason, when the way is no more; `heard_at` is when something came last."""

    def __init__(self, identity: Identity, wire: Wire, timers: Timers, patience: Patience, journal: Journal) -> None:
        self.identity = identity
        self.wire = wire
        self.timers = timers
        self.patience = patience
        self.journal = journal
        self.heard_at = timers.time()
        self._transactions: dict[tuple[str, str], Transaction] = {}
        self._calls: dict[str, Party] = {}
        self._answers: OrderedDict[tuple[str, str, str, str, int], bytes] = OrderedDict()
        self._tag = new_tag()

    def invite(self, request: Request, heard: Heard, silent: Silent) -> InviteTransaction:
        """Begin an INVITE."""
        made = InviteTransaction(
            request, self.wire, self.timers, self.patience, heard, silent, self._forgetting(request),
            lambda response: refusal_acknowledged(request, response),
        )  # fmt: skip
        self._begin(made)
        return made

    def ask(self, request: Request, heard: Heard, silent: Silent) -> Transaction:
        """Begin any other request that is answered."""
        made = OtherTransaction(
            request, self.wire, self.timers, self.patience, heard, silent, self._forgetting(request)
        )
        self._begin(made)
        return made

    def say(self, message: Request | Response) -> None:
        """What is not answered: an ACK, a response."""
        self.wire.send(message.encode())

    def enrol(self, call_id: str, call: Party) -> None:
        """Messages of this call are for `call`."""
        self._calls[call_id] = call

    def dismiss(self, call_id: str) -> None:
        self._calls.pop(call_id, None)

    def stop(self) -> None:
        """Nothing is repeated any more."""
        for one in list(self._transactions.values()):
            one.stop()
        self._calls.clear()

    def take(self, message: Request | Response) -> None:
        """A message has come."""
        self.heard_at = self.timers.time()
        if isinstance(message, Response):
            self._response(message)
        else:
            self._request(message)

    def _begin(self, one: Transaction) -> None:
        self._transactions[transaction(one.request)] = one
        one.begin()

    def _forgetting(self, request: Request) -> Callable[[], None]:
        key = transaction(request)

        def forget() -> None:
            self._transactions.pop(key, None)

        return forget

    def _response(self, response: Response) -> None:
        found = self._transactions.get(transaction(response))
        if found is not None:
            found.take(response)
        elif response.sequence[1] == "INVITE" and 200 <= response.status < 300:
            call = self._calls.get(response.call_id)
            if call is not None:
                call.accepted_again(response)

    def _request(self, request: Request) -> None:
        via = request.first("via")
        number, _ = request.sequence
        key = (branch(via), sent_by(via), request.method, request.call_id, number)  # the last two for who has no branch
        known = self._answers.get(key)
        if known is not None:
            self.wire.send(known)
            return
        found = self._answer(request)
        if found is None:
            return
        octets = found.encode()
        self._answers[key] = octets
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self.wire.send(octets)

    def _answer(self, request: Request) -> Response | None:
        call = self._calls.get(request.call_id)
        if call is not None and party(request.first("to")).tag:
            return call.asked(request)
        if request.method == "ACK":
            return None
        self.journal.note("←", redacted(f"{request.method} 不属于任何通话"))
        return self.refuse(request)

    def refuse(self, request: Request) -> Response:
        """The answer to what does not belong to any call: nobody can ring us."""
        if request.method == "OPTIONS":
            return self.answer(request, 200, "OK", extra=(("allow", ALLOW), ("accept", "application/sdp")))
        if request.method == "INVITE":
            return self.answer(request, 480, "Temporarily Unavailable")
        if request.method in {"BYE", "CANCEL", "INFO", "UPDATE"}:
            return self.answer(request, 481, "Call/Transaction Does Not Exist")
        return self.answer(request, 405, "Method Not Allowed", extra=(("allow", ALLOW),))

    def answer(
        self, request: Request, status: int, reason: str, *, extra: tuple[Header, ...] = (), body: bytes = b""
    ) -> Response:
        return answer(request, status, reason, tag=self._tag, extra=(*extra, ("server", PRODUCT)), body=body)
