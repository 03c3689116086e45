"""What a mail server's answer means for the mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from broadcaster.ports import Deferred, DeliveryKey, Rejected
from channels.email.answer import Status, is_answer, recipient_refused, refused, sender_refused
from channels.redaction import LONGEST, redacted

KEY = DeliveryKey(7, 12, 1)
Classify: TypeAlias = Callable[[DeliveryKey, int, str], Deferred | Rejected]


@pytest.mark.parametrize(
    ("code", "text", "meaning"),
    [
        (550, "5.1.1 <zhang@example.cn>: no such user", "没有这个邮箱"),
        (550, "5.1.2 host unknown", "没有这个域名"),
        (552, "5.2.2 over quota", "邮箱已满"),
        (554, "5.7.1 spam", "被对方拒收"),
        (554, "5.7.26 unauthenticated mail", "策略"),
        (550, "no such user here", "邮箱不可用"),
        (553, "", "地址被拒绝"),
        (555, "5.5.4 unsupported", "协议错误"),
        (599, "odd", "对方拒收"),
    ],
)
def test_a_5xx_is_final_and_says_why(code: int, text: str, meaning: str) -> None:
    outcome = refused(KEY, code, text)
    assert isinstance(outcome, Rejected)
    assert str(code) in outcome.reason
    assert meaning in outcome.reason


@pytest.mark.parametrize(
    ("code", "text", "after"),
    [
        (421, "4.3.2 shutting down", 60),
        (450, "4.7.1 greylisted, come back", 300),
        (451, "try again", 300),
        (452, "4.3.1 disk full", 60),
        (452, "4.2.2 mailbox full", 900),
        (450, "busy", 60),
        (503, "bad sequence", 60),
        (530, "5.7.0 authentication required", 60),
        (535, "5.7.8 bad password", 60),
    ],
)
def test_a_4xx_or_a_fault_of_ours_is_for_later(code: int, text: str, after: float) -> None:
    outcome = refused(KEY, code, text)
    assert isinstance(outcome, Deferred)
    assert outcome.after == after
    assert outcome.reason


@pytest.mark.parametrize(
    ("classify", "code", "text"),
    [
        (sender_refused, 553, "5.7.1 <yujing@ebs.example.cn>: sender address rejected: not owned by user"),
        (sender_refused, 501, "mail from address must be same as authorization user"),
        (sender_refused, 550, "5.4.5 daily user sending quota exceeded"),
        (recipient_refused, 554, "5.7.1 <zhang@example.cn>: Relay access denied"),
        (recipient_refused, 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
        (recipient_refused, 553, "authentication is required"),
        (refused, 550, "5.4.5 Daily user sending limit exceeded"),
        (refused, 550, "User sending frequency limited"),
        (refused, 452, "4.7.0 sending rate exceeded"),
        (refused, 554, "too many mails sent today"),
        (refused, 554, "您的账号发信超过限制"),
    ],
)
def test_what_would_meet_every_other_mail_as_well_is_put_off(classify: Classify, code: int, text: str) -> None:
    outcome = classify(KEY, code, text)
    assert isinstance(outcome, Deferred), outcome
    assert "zhang" not in outcome.reason


@pytest.mark.parametrize(
    ("classify", "code", "text"),
    [
        (sender_refused, 552, "5.3.4 message size exceeds fixed limit"),
        (sender_refused, 550, "5.6.7 non-ASCII addresses not supported"),
        (recipient_refused, 550, "5.1.1 no such user"),
        (recipient_refused, 552, "5.2.2 mailbox quota exceeded: message sending limit"),
        (recipient_refused, 550, "5.7.1 we do not like you"),
    ],
)
def test_what_is_this_mails_own_fault_is_final(classify: Classify, code: int, text: str) -> None:
    assert isinstance(classify(KEY, code, text), Rejected)


@pytest.mark.parametrize("code", [-1, 0, 99, 600, 999])
def test_what_is_no_reply_code_is_recognised(code: int) -> None:
    assert not is_answer(code)


def test_no_reason_and_no_log_line_names_a_person() -> None:
    said = "5.1.1 <zhang.san@example.cn>: 13800138000 rejected, ask postmaster@example.cn\r\nor not"
    outcome = refused(KEY, 550, said)
    assert "zhang" not in outcome.reason
    assert "@" not in redacted(said)
    assert "13800138000" not in redacted(said)
    assert "\n" not in redacted(said)


def test_a_status_code_is_found_only_where_one_stands() -> None:
    assert Status.find("550 5.1.1 no") == Status(5, 1, 1)
    assert Status.find("version 3.1.1") is None
    assert Status.find("") is None


@pytest.mark.parametrize("letter", ["a", "a.", "<", "<a"])
def test_a_peer_that_answers_with_a_megabyte_of_one_letter_is_cut_short(letter: str) -> None:
    assert redacted(letter * 500_000) == (letter * LONGEST)[:LONGEST]


def test_an_address_is_left_out_of_a_peers_words_wherever_it_stands() -> None:
    assert redacted(f"no {'z' * 64}@{'b' * 63}.example.cn, <zhang@a.cn> 13800138000 here") == "no *** *** *** here"
