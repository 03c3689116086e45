"""What the texts ask people to reply is what replies are understood by."""

from __future__ import annotations

import re

import pytest

from broadcaster.ports import Medium
from broadcaster.responses.reply import Acknowledge, Help, understand
from templates.issuer import Issuer
from templates.renderer import render
from templates.skeleton import Purpose
from tests.unit.templates.conftest import MakeAlert


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("medium", [Medium.SMS, Medium.WECHAT, Medium.EMAIL])
@pytest.mark.parametrize("code", ["", "27", "2798"])
def test_the_replies_that_a_text_asks_for_are_understood(
    *, code: str, medium: Medium, language: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    text = render(make_alert(), medium, language, Purpose.UNIT, code, issuer=issuer).fill().text
    asked = re.findall(r"回复“([^”]+)”|[Rr]eply (1)|\((1 \d+) if|(HELP) for", text)
    meanings = [understand(next(filter(None, words))) for words in asked]

    expected = [Acknowledge(), Acknowledge(code), Help()] if code else [Acknowledge(), Help()]
    assert meanings == expected


@pytest.mark.parametrize("purpose", list(Purpose))
def test_the_keys_that_a_call_asks_for_are_understood(purpose: Purpose, make_alert: MakeAlert, issuer: Issuer) -> None:
    text = render(make_alert(), Medium.VOICE, "en", purpose, issuer=issuer).fill().text

    assert [understand(key, keypad=True) for key in re.findall(r"[Pp]ress (\d)", text)] == [Acknowledge(), Help()]
