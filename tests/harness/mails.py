"""Mails for drivers under test, and what became of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broadcaster.ports import DeliveryKey, Driver, Envelope, Message, Outcome

MESSAGE = Message("台风红色预警：请立即转移。\n.\n详见链接。", subject="【红色】台风预警", html="<p>请立即转移</p>")
TOKEN = "a token long enough to be one"

POLICIES = """
[policies.red]
loudspeakers = false
households = [{ channels = ["email"], wait = 3600 }]
units = [{ after = 0, action = "notify_primary", channels = ["email"] }]
"""
MAIL = """
[[gateways]]
name = "mail"
channel = "email"
driver = "smtp"
rate = {rate}
slots = {slots}
rehearsal = true
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "yujing@ebs.example.cn"
return_path = "bounce@ebs.example.cn"
reply_to = "huifu@ebs.example.cn"
replies = true
bounce_token = "{token}"
listen = "127.0.0.1:{back}"
"""
"""Settings of an installation whose only channel is mail; `back` is the port where what comes back is taken."""


def envelope(address: str, ordinal: int = 1, message: Message = MESSAGE) -> Envelope:
    """A mail that is to go out within the hour."""
    return Envelope(DeliveryKey(7, ordinal, 1), address, message, 0, datetime.now(UTC) + timedelta(hours=1))


async def sent(driver: Driver, *addresses: str, message: Message = MESSAGE, first: int = 1) -> list[Outcome]:
    """The outcomes of a mail to each address, numbered from `first`, in that order."""
    batch = [envelope(address, ordinal, message) for ordinal, address in enumerate(addresses, first)]
    return sorted([outcome async for outcome in driver.send(batch)], key=lambda outcome: outcome.key)
