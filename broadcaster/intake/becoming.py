"""What becomes of one message, beside all that came before it. Called with the room's lock held, in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.alerts import drafts
from broadcaster.alerts.alert import Alert, MsgType, Status
from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.drafts import Author
from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Connection
from broadcaster.intake import drafting, words
from broadcaster.intake.deciding import Asked, Decide, Decided
from broadcaster.intake.likeness import event, said
from broadcaster.intake.lineage import Descent, descent
from broadcaster.intake.placing import Place, Where
from broadcaster.intake.relaying import Passing, Relay
from broadcaster.intake.sql import SQL
from broadcaster.phrase import joined, phrase
from broadcaster.phrase import ours as text_of_ours
from broadcaster.security import audit
from broadcaster.sources import Signature, SourceSettings

_SUCCESSORS = (MsgType.UPDATE, MsgType.CANCEL)
_ANSWERS = (MsgType.ACK, MsgType.ERROR)
MACHINE = 0
"""The account under which the worker writes."""


class State(StrEnum):
    """What a message has become."""

    NEW = "new"
    REFUSED = "refused"
    REPEATED = "repeated"
    NOTED = "noted"
    EXPIRED = "expired"
    OUTSIDE = "outside"
    REPLACED = "replaced"
    WAITING = "waiting"
    DRAFTED = "drafted"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Became:
    """`note` says why; `same_as` is the message that said it before, `draft_key` the draft that was made, `issued` the
    alert that went out; `sent`: it did, or is held."""

    state: State
    note: str = ""
    same_as: int | None = None
    draft_key: str | None = None
    issued: int | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A message with everything that is known of it by itself."""

    id: int
    source: SourceSettings
    alert: Alert
    place: Place
    signature: Signature = Signature.NONE


class Judge:
    """Decides about one message after the other. `relay` None: nothing goes out by itself."""

    def __init__(self, connection: Connection, decide: Decide, now: datetime, relay: Relay | None = None) -> None:
        self._connection = connection
        self._decide = decide
        self._now = now
        self._relay = relay

    async def become(self, case: Case) -> Became:
        """What the message becomes; drafts are made on the way, and what may goes out."""
        alert = case.alert
        if (known := await self._said_before(case)) is not None:
            return known
        if alert.msg_type in _ANSWERS:
            return Became(State.NOTED, "对方对某条消息的答复")
        if alert.status in (Status.SYSTEM, Status.DRAFT):
            return Became(State.NOTED, phrase("状态是 %(status)s，不发布", status=alert.status.value))
        if alert.msg_type is not MsgType.CANCEL and alert.expires is not None and alert.expires <= self._now:
            return Became(State.EXPIRED, "收到时已经失效")
        if alert.msg_type in _SUCCESSORS:
            return await self._succeed(case)
        return await self._begin(case)

    async def _said_before(self, case: Case) -> Became | None:
        """The same message again, under its own name or as the same event by another feed; None for news."""
        alert = case.alert
        rows = await self._connection.fetch(SQL["named"], alert.identifier, alert.sender, case.id)
        for row in rows:
            if row["sent_at"] != alert.sent:
                continue
            if row["said"] == said(alert):
                first = row["same_as"] or row["id"]
                return await self._repeated(case, first, phrase("与第 %(number)s 条相同", number=first))
            if case.signature is Signature.GOOD and row["signature"] != Signature.GOOD:
                continue  # whoever used the name first has not proven to be its owner
            told = phrase("与第 %(number)s 条同一标识、同一时间，内容却不同，请核对来源", number=row["id"])
            return Became(State.WAITING, told)
        about = event(alert, case.place)
        row = await self._connection.fetchrow(SQL["of_event"], about, case.id) if about is not None else None
        if row is None:
            return None
        return await self._repeated(case, row["id"], phrase("与第 %(number)s 条是同一事件", number=row["id"]))

    async def _repeated(self, case: Case, first: int, note: str) -> Became | None:
        """It changes nothing, unless its source is trusted with more than the first one's was, and nobody has put that
        forward yet. None: it is news all the same, because it proves itself and the first one has not."""
        row = await self._connection.fetchrow(SQL["hold"], first)
        again = Became(State.REPEATED, note, first)
        if row is None or row["alert_id"] is not None:
            return again
        begins = case.alert.msg_type is MsgType.ALERT
        lies = row["state"] in (State.WAITING, State.DRAFTED)
        if not (begins and lies):
            proves = case.signature is Signature.GOOD and row["signature"] != Signature.GOOD
            return None if proves and case.alert.msg_type not in _ANSWERS else again
        if case.place.where is not Where.HERE:
            return again
        decided = self._decide(_asked(case))
        if decided.deed is Deed.NOTIFY or (row["state"] == State.DRAFTED and not self._sends(decided)):
            return again
        if row["state"] == State.DRAFTED and row["untouched"]:
            await drafts.discard(self._connection, row["draft_key"])
        became = await self._draft(case, None, decided)
        told = _sentences(phrase("来源 %(source)s 也报了同一事件", source=case.source.name), became.note)
        values = (became.draft_key, told, self._now, "", words.kept(told))
        await self._connection.execute(SQL["drafted"], first, *values)
        return Became(State.REPEATED, note, first, issued=became.issued)

    async def _succeed(self, case: Case) -> Became:
        """An Update or a Cancel of what came before."""
        alert = case.alert
        before = await descent(self._connection, alert)
        names = [reference.identifier for reference in alert.references]
        note = phrase("被第 %(number)s 条（%(deed)s）取代", number=case.id, deed=alert.msg_type.value)
        proven, real = case.signature is Signature.GOOD, alert.status is Status.ACTUAL
        await self._connection.execute(SQL["replace"], names, note, case.id, words.kept(note), proven, real)
        withdrawn = await self._withdraw(case, names)
        if before.ours is not None:
            return await self._replace_ours(case, before.ours)
        if alert.msg_type is MsgType.CANCEL:
            return withdrawn or self._nothing_to_cancel(case, before)
        became = await self._begin(case)
        if self._relay is not None and not became.sent:
            await self._relay.miss(self._connection, case.source.name, names)
        return became

    async def _withdraw(self, case: Case, names: Sequence[str]) -> Became | None:
        """What is held of it goes out no more, if this proves to be by whoever said it; what a Cancel becomes then."""
        if self._relay is None:
            return None
        proven = case.signature is Signature.GOOD and case.alert.status is Status.ACTUAL
        if proven and await self._relay.withdraw(self._connection, case.source.name, names):
            return Became(State.NOTED, "它解除的消息正在等待自动发出，已撤回，不再发出")
        if await self._relay.held(self._connection, names):
            return Became(State.WAITING, "它解除的消息正在等待自动发出，请决定是否否决")
        return None

    @staticmethod
    def _nothing_to_cancel(case: Case, before: Descent) -> Became:
        if before.lying:
            return Became(State.WAITING, "它解除的消息已有草稿，还没有发布：请勿再发")
        if before.known:
            return Became(State.NOTED, "它解除的消息在本地没有发布过")
        if case.place.where is Where.ELSEWHERE:
            return Became(State.OUTSIDE, "适用于外地")
        return Became(State.WAITING, "没有收到过它解除的消息")

    async def _replace_ours(self, case: Case, ours: AlertRecord) -> Became:
        """Our alert of the same lineage is in force: it is to be updated or called off."""
        about = phrase("针对已发布的第 %(alert)s 条预警", alert=ours.id)
        if (ours.status == Status.ACTUAL.value) != (case.alert.status is Status.ACTUAL):
            return Became(State.WAITING, joined("，", (about, "但一条是实战、一条不是，请核对")))
        if case.alert.msg_type is MsgType.UPDATE and case.place.where is not Where.HERE:
            lost = "更新后的区域不包括本地或无法识别，请核对是否解除"
            return Became(State.WAITING, joined("，", (about, lost)))
        follows = None
        if self._relay is not None:
            follows = await self._relay.went_out(self._connection, case.source.name, ours.id)
        decided = self._decide(_asked_about(case, ours, follows))
        if decided.deed is Deed.NOTIFY:
            return Became(State.WAITING, _sentences(about, decided.why))
        return await self._draft(case, ours, decided, about)

    async def _begin(self, case: Case) -> Became:
        alert, place = case.alert, case.place
        if place.where is Where.ELSEWHERE:
            return Became(State.OUTSIDE, "适用于外地")
        proven, real = case.signature is Signature.GOOD, alert.status is Status.ACTUAL
        later = await self._connection.fetchrow(SQL["replaced_by"], alert.identifier, proven, real)
        if later is not None:
            number, deed = later["id"], later["msg_type"]
            note = phrase("已被先到的第 %(number)s 条（%(deed)s）取代", number=number, deed=deed)
            return Became(State.REPLACED, note)
        if place.where is Where.UNKNOWN:
            return Became(State.WAITING, _unplaced("无法判断是否适用于本地", place.unplaced))
        note = _unplaced("另有区域无法识别", place.unplaced) if place.unplaced else ""
        decided = self._decide(_asked(case))
        if decided.deed is Deed.NOTIFY:
            return Became(State.WAITING, _sentences(note, decided.why))
        return await self._draft(case, None, decided, note)

    async def _draft(self, case: Case, replaces: AlertRecord | None, decided: Decided, note: str = "") -> Became:
        """A draft, and what becomes of it by itself."""
        author, key = Author(MACHINE, case.source.name), drafts.new_key()
        draft = await drafting.begin(self._connection, case.alert, case.place, author, self._now, replaces, key)
        detail = {"source": case.source.name}
        await audit.append(
            self._connection, MACHINE, "incoming.draft", self._now, subject=f"incoming {case.id}", detail=detail
        )
        told = _sentences(note, decided.why)
        if self._relay is None or not self._sends(decided):
            return Became(State.DRAFTED, told, draft_key=draft.key)
        if draft.key != key:
            return Became(State.DRAFTED, _sentences(told, "已有针对它的草稿，没有自动发出"), draft_key=draft.key)
        passing = Passing(case.id, case.source.name, case.alert.identifier, case.alert.msg_type, draft, decided)
        relayed = await self._relay.pass_on(self._connection, passing)
        note = _sentences(told, relayed.note)
        return Became(State.DRAFTED, note, draft_key=draft.key, issued=relayed.issued, sent=relayed.sent)

    def _sends(self, decided: Decided) -> bool:
        return self._relay is not None and decided.deed.goes_out


def _asked(case: Case) -> Asked:
    alert = case.alert
    return Asked(case.source, alert, case.signature, alert.hazard, alert.colour, whole=case.place.certain)


def _asked_about(case: Case, record: AlertRecord, follows: Deed | None) -> Asked:
    """The same of what updates or cancels our alert, which says what its successor leaves open."""
    alert = case.alert
    hazard = alert.hazard if alert.hazard not in ("", "generic") else record.hazard
    whole = alert.msg_type is MsgType.CANCEL or case.place.certain
    colour = alert.colour or record.alert.colour
    return Asked(case.source, alert, case.signature, hazard, colour, whole=whole, successor=True, follows=follows)


def _unplaced(what: str, areas: Sequence[str]) -> str:
    named = joined("、", areas[:5]) if areas else text_of_ours("没有写明区域")
    return phrase("%(what)s：%(named)s", what=text_of_ours(what), named=named)


def _sentences(*parts: str) -> str:
    said_ = [part for part in parts if part]
    return joined("。", said_) if said_ else ""
