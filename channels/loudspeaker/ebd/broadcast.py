"""What an EBM says of an alert, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from broadcaster.errors import InputError
from broadcaster.ports import Envelope, Message, Notice
from channels.loudspeaker import channel
from channels.loudspeaker.ebd.documents import (
    CANCEL,
    EBM,
    MP3,
    PLAY,
    Auxiliary,
    BroadcastSystem,
    Dispatch,
    MsgBasicInfo,
    MsgContent,
    RelatedInfo,
)
from channels.loudspeaker.ebd.package import File
from channels.loudspeaker.ebd.profile import AREA
from channels.loudspeaker.ebd.settings import EbdOptions

SEVERITY = {"red": "1", "orange": "2", "yellow": "3", "blue": "4"}
UNKNOWN_SEVERITY, TEST_SEVERITY = "0", "15"
DRILL_TYPES = {"simulated": "3", "actual": "4"}
"""MsgType of a drill where a peer has one: 模拟演练, 实际演练."""

DRILL = "【演练】"
AUDIO = "audio/mpeg"
LONGEST_TITLE = 200
SEPARATOR = "/"


def check(envelope: Envelope, options: EbdOptions) -> None:
    """`InputError` when the terminal or the message cannot go out on this gateway."""
    if not options.dialect.is_resource(envelope.address):
        raise InputError(
            f"终端地址不是 {options.dialect.resource} 位资源编码。", remedy="请核对终端名册与网关的 profile。"
        )
    channel.check(envelope.message)
    audio = envelope.message.audio
    if audio is not None and audio.media_type != AUDIO:
        raise InputError(f"应急广播平台只收 MP3，不收 {audio.media_type}。")


def reference(ebmid: str, terminal: str) -> str:
    """The `ref` of a message: its broadcast and its terminal. What a report names, and what a recall needs."""
    return f"{ebmid}{SEPARATOR}{terminal}"


def broadcast_of(ref: str, options: EbdOptions) -> str:
    """The EBMID in a `ref`; "" when it is none of ours."""
    ebmid, separator, _ = ref.partition(SEPARATOR)
    return ebmid if separator and options.dialect.is_message(ebmid) else ""


def recording(ebmid: str, content: bytes) -> File:
    """The file that a broadcast plays."""
    return File(f"EBDR_{ebmid}.mp3", content)


def compose(
    ebmid: str,
    message: Message,
    terminals: Sequence[str],
    expires: datetime,
    file: File,
    now: datetime,
    options: EbdOptions,
) -> EBM:
    """The EBM that has `terminals` play `file`. What it says is the alert's; no household is in it."""
    notice = message.notice
    starts, ends = now, expires
    if notice is not None:
        starts, ends = max(now, notice.starts), min(expires, notice.ends)
    if options.play_within:
        ends = min(ends, starts + timedelta(seconds=options.play_within))
    kind, severity = _rank(notice, options)
    basic = MsgBasicInfo(
        msg_type=kind,
        sender_name=notice.sender if notice is not None else "到户",
        sender_code=options.sender_code or options.source,
        send_time=now,
        event_type=(notice.event if notice is not None else "") or options.event,
        severity=severity,
        start_time=starts,
        end_time=max(ends, starts),
    )
    content = MsgContent(
        language_code=options.language,
        msg_title=_title(message, notice),
        msg_desc=message.text,
        area_code=areas(terminals, options),
        auxiliary=(Auxiliary(auxiliary_type=MP3, auxiliary_desc=file.name, size=str(len(file.content))),),
    )
    return EBM(version="1", ebmid=ebmid, basic=basic, content=content, dispatch=dispatched(terminals, options))


def cancellation(ebmid: str, cancels: str, terminals: Sequence[str], now: datetime, options: EbdOptions) -> EBM:
    """The EBM that stops the broadcast `cancels` at `terminals`; the two ids are the same where the peer wants
    it so."""
    basic = MsgBasicInfo(
        msg_type=CANCEL,
        sender_name="到户",
        sender_code=options.sender_code or options.source,
        send_time=now,
        event_type=options.event,
        severity=UNKNOWN_SEVERITY,
        start_time=now,
        end_time=now,
    )
    content = MsgContent(
        language_code=options.language,
        msg_title="取消播发",
        msg_desc="取消播发",
        area_code=areas(terminals, options),
    )
    return EBM(
        version="1",
        ebmid=ebmid,
        related=RelatedInfo(ebmid=cancels),
        basic=basic,
        content=content,
        dispatch=dispatched(terminals, options),
    )


def areas(terminals: Iterable[str], options: EbdOptions) -> str:
    """The area codes of `terminals`, each once, as an AreaCode."""
    place = options.dialect.area
    return ",".join(dict.fromkeys(code[place].ljust(AREA, "0") for code in terminals))


def dispatched(terminals: Iterable[str], options: EbdOptions) -> tuple[Dispatch, ...]:
    """One entry for each terminal: the type of system that its code names, and the code itself."""
    kind = options.dialect.kind
    return tuple(
        Dispatch(
            language_code=options.language,
            ebrbs=BroadcastSystem(brd_sys_type=code[kind], brd_sys_info=code),
        )
        for code in terminals
    )


def _rank(notice: Notice | None, options: EbdOptions) -> tuple[str, str]:
    """MsgType and Severity. A trial of the gateway, which belongs to no alert, is as little an alarm as a drill."""
    severity = SEVERITY.get(notice.colour, UNKNOWN_SEVERITY) if notice is not None else UNKNOWN_SEVERITY
    if notice is not None and not notice.drill:
        return PLAY, severity
    if options.drill == "severity":
        return PLAY, TEST_SEVERITY
    return DRILL_TYPES.get(options.drill, PLAY), severity


def _title(message: Message, notice: Notice | None) -> str:
    title = (notice.title if notice is not None else message.subject) or "应急广播"
    if notice is not None and notice.drill and "演练" not in title:
        title = DRILL + title
    return title[:LONGEST_TITLE]
