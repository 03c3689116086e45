"""What Alibaba Cloud calls us with about calls: VoiceReport when one is over, VoiceCallReport while it goes on; JSON
arrays, both to the same address."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from broadcaster.errors import InputError
from broadcaster.ports import CallbackResult, Evidence, Receipt, Reply
from channels.cloud.aliyun import TAKEN
from channels.cloud.keys import key_of
from channels.cloud.moments import beijing
from channels.http.callback import read_json
from channels.redaction import redacted
from channels.sms.session.numbers import national
from channels.voice.aliyun_vms.codes import CUT_SHORT, HEARD, OUTCOMES

KEYS = re.compile(r"[0-9*#]{1,32}\Z")
_SECONDS = re.compile(r"([0-9]{1,6})")


class Item(msgspec.Struct, frozen=True, gc=False):
    """A call that is over (it has `end_time`), or a state on the way (it has `status_time`)."""

    call_id: str = ""
    status_code: str | int = ""
    status_msg: str | None = None
    callee: str | None = None
    duration: str | int | None = None
    end_time: str | None = None
    status_time: str | None = None
    out_id: str | None = None
    dtmf: str | None = None


_items = msgspec.json.Decoder(list[Item])


def read_callback(body: bytes, arrived: datetime) -> CallbackResult:
    """What came of calls, and the keys that were pressed: both when a call is over, because only then is it said whose
    it was. What is said on the way is passed over. `InputError` when nothing in `body` is about a call."""
    items = [item for item in read_json(body, _items) if item.call_id and (item.end_time or item.status_time)]
    if not items:
        raise InputError(
            "回调中没有通话记录。", remedy="请只登记 VoiceReport（呼叫记录）和 VoiceCallReport（呼叫状态）两种回执。"
        )
    receipts = [_receipt(item, arrived) for item in items if item.end_time]
    replies = [_reply(item, arrived) for item in items if item.end_time and KEYS.match(item.dtmf or "")]
    return CallbackResult(receipts, replies, 200, "application/json; charset=utf-8", TAKEN)


def _receipt(item: Item, arrived: datetime) -> Receipt:
    code = str(item.status_code)
    good = code in HEARD or bool(KEYS.match(item.dtmf or ""))
    return Receipt(
        ref=item.call_id,
        key=key_of(item.out_id or ""),
        evidence=Evidence.DELIVERED if good else Evidence.FAILED,
        reason="" if good else _why(item, code),
        at=beijing(item.end_time or "", arrived),
    )


def _why(item: Item, code: str) -> str:
    words = OUTCOMES.get(code) or redacted(item.status_msg or "") or "呼叫失败"
    seconds = _SECONDS.search(str(item.duration or ""))
    if code == CUT_SHORT and seconds is not None:
        return f"{words}（听了 {seconds[1]} 秒，{code}）"
    return f"{words}（{redacted(code)}）"


def _reply(item: Item, arrived: datetime) -> Reply:
    keys = item.dtmf or ""
    pressed = keys[0] if len(set(keys)) == 1 else keys  # who presses again means the same
    at = beijing(item.end_time or "", arrived)
    return Reply(f"{item.call_id}/{pressed}"[:64], national(item.callee or ""), pressed, at, key_of(item.out_id or ""))
