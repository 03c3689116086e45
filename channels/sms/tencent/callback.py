"""What Tencent Cloud calls us with: status reports as a JSON array, a reply as a single object."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from broadcaster.ports import CallbackResult, Evidence, Receipt, Reply
from channels.cloud.moments import beijing
from channels.http.callback import read_json
from channels.redaction import redacted
from channels.sms.session.numbers import national

TAKEN = b'{"result":0,"errmsg":"OK"}'
DELIVERED = "SUCCESS"


class Report(msgspec.Struct, frozen=True, gc=False):
    """A status report; `sid` is the SerialNo of the answer to SendSms."""

    sid: str
    report_status: str
    user_receive_time: str | None = None
    errmsg: str | None = None
    description: str | None = None


class Said(msgspec.Struct, frozen=True, gc=False):
    """A reply; `time` in Unix seconds."""

    mobile: str
    text: str
    time: int
    extend: str | None = None


_either = msgspec.json.Decoder(list[Report] | Said)


def read_callback(body: bytes, arrived: datetime) -> CallbackResult:
    """The receipts or the reply in `body`; `InputError` for anything else."""
    said = read_json(body, _either)
    receipts = [_receipt(report, arrived) for report in said] if isinstance(said, list) else []
    replies = [_reply(said, arrived)] if isinstance(said, Said) else []
    return CallbackResult(receipts, replies, 200, "application/json", TAKEN)


def _receipt(report: Report, arrived: datetime) -> Receipt:
    delivered = report.report_status == DELIVERED
    return Receipt(
        ref=report.sid,
        key=None,
        evidence=Evidence.DELIVERED if delivered else Evidence.FAILED,
        reason="" if delivered else redacted(f"{report.errmsg or ''} {report.description or ''}"),
        at=beijing(report.user_receive_time or "", arrived),
    )


def _reply(said: Said, arrived: datetime) -> Reply:
    """The protocol gives replies no id: the same words from the same number in the same second are one."""
    address = national(said.mobile)
    marks = "\0".join((address, said.extend or "", str(said.time), said.text))
    reply_id = hashlib.sha256(marks.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Reply(reply_id, address, said.text, _moment(said.time, arrived))


def _moment(seconds: int, arrived: datetime) -> datetime:
    """Unix seconds as a time, not in the future."""
    try:
        return min(datetime.fromtimestamp(seconds, UTC), arrived)
    except (ValueError, OverflowError, OSError):
        return arrived
