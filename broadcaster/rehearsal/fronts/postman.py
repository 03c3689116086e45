"""Delivery reports on their way to the client: posted, mail by mail, where its mail server would pipe them to."""

from __future__ import annotations

from collections import OrderedDict

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fronts.mailing import Envelope, report
from broadcaster.rehearsal.fronts.posting import Poster
from broadcaster.rehearsal.fronts.rounds import Rounds
from broadcaster.rehearsal.outbox import Post, ReplyPost
from broadcaster.rehearsal.script import MailFront as Settings

AT_ONCE = 8
"""Reports that are posted at the same time."""

MAILS_KEPT = 500_000
"""Mails whose envelope is remembered, for the report on them."""


class Postman:
    """Brings the reports of all accounts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._envelopes: OrderedDict[str, Envelope] = OrderedDict()
        self._poster = Poster(AT_ONCE)
        self._rounds = Rounds(self._bring)

    @property
    def works(self) -> bool:
        """Whether reports go anywhere."""
        return bool(self._settings.reports)

    def serve(self, account: Account) -> None:
        """Bring this account's reports."""
        self._rounds.serve(account)

    def remember(self, message_id: str, envelope: Envelope) -> None:
        """A report may have to be written on this mail."""
        self._envelopes[message_id] = envelope
        if len(self._envelopes) > MAILS_KEPT:
            self._envelopes.popitem(last=False)

    async def stop(self) -> None:
        self._rounds.stop()
        await self._poster.stop()

    async def _bring(self, _account: Account, one: Post) -> bool:
        """Whether the client has stored the report, or wants none. What somebody writes back goes to the sender's
        mailbox, where no program looks: it is brought at once."""
        if isinstance(one, ReplyPost):
            return True
        ((ref, _, _, _, good, reason, *_),) = one.rows
        envelope = self._envelopes.get(ref)
        if envelope is None:
            envelope = Envelope("bounces@rehearsal.invalid", "nobody@rehearsal.invalid", notify=frozenset({"SUCCESS"}))
        if not envelope.wants(good=good):
            return True
        headers = {"Content-Type": "message/rfc822", "Authorization": f"Bearer {self._settings.token}"}
        mail = report(envelope, ref, one.at, reason)
        return await self._poster.post(self._settings.reports, mail, headers) is not None
