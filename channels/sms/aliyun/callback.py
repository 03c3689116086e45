"""What Alibaba Cloud calls us with: SmsReport and SmsUp, JSON arrays, both to the same address.

It tries again after 1, 5 and 10 minutes unless the answer is HTTP 200.
"""

from __future__ import annotations

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


class Item(msgspec.Struct, frozen=True, gc=False):
    """A status report (`success` and `biz_id`), or a reply (`content` and `sequence_id`)."""

    phone_number: str = ""
    send_time: str | None = None
    report_time: str | None = None
    success: bool | str | None = None
    err_code: str | None = None
    err_msg: str | None = None
    biz_id: str | None = None
    out_id: str | None = None
    content: str | None = None
    sequence_id: int | str | None = None


_items = msgspec.json.Decoder(list[Item])


def read_callback(body: bytes, arrived: datetime) -> CallbackResult:
    """The receipts and replies in `body`; what is neither is passed over. `InputError` when nothing is either."""
    items = read_json(body, _items)
    receipts = [_receipt(item, arrived) for item in items if item.success is not None]
    replies = [_reply(item, arrived) for item in items if item.sequence_id is not None and item.content is not None]
    if items and not receipts and not replies:
        raise InputError("回调中既没有状态报告，也没有上行短信。", remedy="请只登记 SmsReport 和 SmsUp 两种回执。")
    return CallbackResult(receipts, replies, 200, "application/json; charset=utf-8", TAKEN)


def _receipt(item: Item, arrived: datetime) -> Receipt:
    delivered = item.success is True or item.success == "true"
    return Receipt(
        ref=item.biz_id or "",
        key=key_of(item.out_id or ""),
        evidence=Evidence.DELIVERED if delivered else Evidence.FAILED,
        reason="" if delivered else redacted(f"{item.err_code or ''} {item.err_msg or ''}"),
        at=beijing(item.report_time or "", arrived),
    )


def _reply(item: Item, arrived: datetime) -> Reply:
    address, text = national(item.phone_number), item.content or ""
    return Reply(f"{item.sequence_id}"[:64], address, text, beijing(item.send_time or "", arrived))
