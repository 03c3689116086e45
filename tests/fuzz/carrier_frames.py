"""What carriers' gateways send, right, as examples to be damaged."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from channels.sms.parts import parts
from tests.harness.carrier_gateway import CarrierGateway
from tests.harness.cmpp_gateway import CmppGateway
from tests.harness.sgip_gateway import SgipGateway, bind
from tests.harness.smgp_gateway import SmgpGateway

LONG = "我在村口，水已经到门槛了，家里有两个老人走不动，请派车来接，" * 4
PHONE = "8613800000001"
REFS = {"cmpp": "0102030405060708", "smgp": "0a0d00112709301234ab", "sgip": "b36a5d520fa1b2c300010001"}


def said(gateway: CarrierGateway, ref: str) -> list[bytes]:
    """Replies in each coding, one of them in parts, and reports; needs a running loop."""
    gateway.say(PHONE, b"1", 0)
    gateway.say(PHONE, "收到，谢谢".encode("utf-16-be"))
    gateway.say(PHONE, "需要帮助".encode("gb18030"), 15)
    for part in parts(LONG, 200):
        gateway.say(PHONE, part.content, headed=1)
    gateway.report_on(ref, PHONE, "DELIVRD")
    gateway.report_on(ref, PHONE, "UNDELIV")
    return list(gateway.unacknowledged.values())


def plain(command: int, body: bytes = b"") -> bytes:
    """A frame with the usual header."""
    return struct.pack(">III", 12 + len(body), command, 1) + body


def sgip(command: int, body: bytes = b"") -> bytes:
    return struct.pack(">II12s", 20 + len(body), command, bytes.fromhex(REFS["sgip"])) + body


def smpp(command: int, body: bytes = b"", status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, 1) + body


def _smpp_deliver(content: bytes, coding: int = 0, esm: int = 0, options: bytes = b"") -> bytes:
    body = b"\0\1\1" + PHONE.encode() + b"\0\0\1" + b"10690001\0" + bytes([esm, 0, 0]) + b"\0\0"
    return smpp(5, body + bytes([0, 0, coding, 0, len(content)]) + content + options)


async def cmpp_frames(*, third: bool) -> Sequence[bytes]:
    async with CmppGateway(third=third) as gateway:
        frames = said(gateway, REFS["cmpp"])
    width: Any = ">I16sB" if third else ">B16sB"
    answer = struct.pack(">8sI" if third else ">8sB", bytes.fromhex(REFS["cmpp"]), 0)
    signed_in = struct.pack(width, 0, bytes(16), 0x30 if third else 0x20)
    session = [plain(0x80000001, signed_in), plain(0x80000004, answer)]
    return frames + session + [plain(8), plain(0x80000008, b"\0"), plain(2), plain(0x80000002)]


async def smgp_frames() -> Sequence[bytes]:
    async with SmgpGateway() as gateway:
        frames = said(gateway, REFS["smgp"])
    async with SmgpGateway(hex_ids=True) as gateway:
        frames += said(gateway, REFS["smgp"])
    answer = struct.pack(">10sI", bytes.fromhex(REFS["smgp"]), 0)
    session = [plain(0x80000001, struct.pack(">I16sB", 0, bytes(16), 0x30)), plain(0x80000002, answer)]
    return frames + session + [plain(4), plain(0x80000004), plain(6), plain(0x80000006)]


async def sgip_frames() -> Sequence[bytes]:
    async with SgipGateway(silent=True) as gateway:
        frames = said(gateway, REFS["sgip"])
    done = struct.pack(">B8x", 0)
    session = [bind(2, "901234", "shared-secret"), sgip(0x80000001, done), sgip(0x80000003, done)]
    return frames + session + [sgip(2), sgip(0x80000002)]


def smpp_frames() -> Sequence[bytes]:
    receipt = b"id:A1B2 sub:001 dlvrd:001 submit date:2611271930 done date:2611271931 stat:DELIVRD err:000 text:x"
    options = b"\x00\x1e\x00\x05A1B2\0\x04\x27\x00\x01\x02"
    session = [smpp(command) for command in (0x15, 0x80000015, 6, 0x80000006, 0x80000000, 0x102, 0x99)]
    return [
        _smpp_deliver(b"1"),
        _smpp_deliver("收到".encode("utf-16-be"), 8),
        *(_smpp_deliver(part.content, 8, 0x40) for part in parts(LONG, 200)),
        _smpp_deliver(receipt, 0, 4),
        _smpp_deliver(b"", 0, 4, options),
        _smpp_deliver(b"", 8, 0, b"\x04\x24" + struct.pack(">H", 400) + LONG[:100].encode("utf-16-be") * 2),
        smpp(0x80000009, b"smsc\0"),
        smpp(0x80000004, b"A1B2\0"),
        smpp(0x80000004, b"", 0x58),
        *session,
    ]
