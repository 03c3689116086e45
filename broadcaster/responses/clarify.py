"""Asking back: an answer that could confirm several alerts confirms none; its sender is asked which one is meant."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import escape

from broadcaster.ports import Medium, Message
from broadcaster.responses.senders import KnownAlert
from templates.fields import FIELD_LIMITS

WRITTEN = frozenset({Medium.SMS, Medium.WECHAT, Medium.EMAIL})
"""The channels by which somebody can be asked back: who is called hears nothing afterwards."""

_LONGEST_HEADLINE = 20

_LONGEST_OFFER = FIELD_LIMITS["keyword5"]


def question(options: Sequence[KnownAlert]) -> str:
    """The question, with a code for each alert: `您有2条待确认：…。请回复“1 27”确认台风红色预警，…`."""
    drill = _mark(options)
    choices = "；".join(f"回复“1 {alert.code}”确认“{_short(alert.headline)}”" for alert in options if alert.code)
    return f"{drill}您有{len(options)}条待确认，请分别回复：{choices}。{drill}"


def message(channel: Medium, options: Sequence[KnownAlert]) -> Message:
    """The question as it goes out on a channel; of a WeChat card the keywords alone must say it all."""
    text, drill = question(options), _mark(options)
    subject = f"{drill}请说明确认的是哪一条"
    if channel is Medium.EMAIL:
        return Message(text, subject=subject, html=f"<p>{escape(text)}</p>")
    if channel is Medium.WECHAT:
        fields = {
            "first": subject,
            "keyword1": f"{drill}{len(options)}条待确认",
            "keyword5": _offer([alert.code for alert in options if alert.code]),
            "remark": text,
        }
        return Message(text, subject=subject, fields=fields)
    return Message(text)


def _offer(codes: Sequence[str]) -> str:
    """What to reply, in as many characters as a card shows: each code is whole, and as many of them as there is room
    for; whoever has confirmed those is asked about the others."""
    quoted = f"请回复{'或'.join(f'“1 {code}”' for code in codes)}"
    if len(quoted) <= _LONGEST_OFFER:
        return quoted
    plain = (
        f"请回复{'、'.join(f'1 {code}' for code in codes[:count])}{'等' if count < len(codes) else ''}"
        for count in range(len(codes), 0, -1)
    )
    return next(offer for offer in plain if len(offer) <= _LONGEST_OFFER)


def _mark(options: Sequence[KnownAlert]) -> str:
    return "【演练】" if any(alert.rehearsal for alert in options) else ""


def _short(headline: str) -> str:
    return headline if len(headline) <= _LONGEST_HEADLINE else headline[: _LONGEST_HEADLINE - 1] + "…"
