"""Codes of the second factor: those of the standard, good for a minute and a half, and no secret twice."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from broadcaster.security.permissions import Actor, Grant, Role
from broadcaster.security.second_factor import SecondFactor, new_seed, plain_recovery_code, recovery_codes
from broadcaster.security.session_rules import Demand, SessionRules
from broadcaster.settings import settings_from

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
FACTOR = SecondFactor(b"a secret of the tests")


def test_any_app_that_knows_the_standard_shows_the_same_code() -> None:
    offer = FACTOR.offer(7, "seed", "zhang", "鄞州区")
    assert pyotp.TOTP(offer.secret).at(NOW) == FACTOR.code(7, "seed", NOW)
    assert pyotp.parse_uri(offer.uri).secret == offer.secret
    asked = urlsplit(offer.uri)
    assert (asked.scheme, asked.netloc) == ("otpauth", "totp")
    assert parse_qs(asked.query)["issuer"] == ["鄞州区"]
    assert len(base64.b32decode(offer.secret)) == 20
    assert offer.spelled.replace(" ", "") == offer.secret


@pytest.mark.parametrize(("off", "good"), [(-90, False), (-30, True), (0, True), (30, True), (90, False)])
def test_a_phone_may_be_half_a_minute_off(off: int, good: bool) -> None:
    code = FACTOR.code(7, "seed", NOW + timedelta(seconds=off))
    step = FACTOR.step(7, "seed", code, NOW)
    assert (step is not None) is good
    assert step is None or step == int((NOW + timedelta(seconds=off)).timestamp()) // 30


@pytest.mark.parametrize("code", ["", "abc", "12345", "1234567", "１２３４５６", "\0", "收到", "\ud800"])
def test_what_is_no_code_fits_nothing(code: str) -> None:
    assert FACTOR.step(7, "seed", code, NOW) is None


def test_every_account_seed_and_installation_has_another_secret() -> None:
    secrets = {
        factor.offer(account, seed, "zhang", "x").secret
        for factor in (FACTOR, SecondFactor(b"another key"))
        for account in (1, 11)
        for seed in ("", "1", new_seed())
    }
    assert len(secrets) == 12


def test_recovery_codes_differ_and_are_read_however_they_are_typed() -> None:
    codes = recovery_codes(200)
    assert len(set(codes)) == 200
    assert plain_recovery_code(" abcde fghjk ") == plain_recovery_code("ABCDE-FGHJK") == "ABCDEFGHJK"
    assert not any(sign in code for code in codes for sign in "01IO")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("demand", Demand)
def test_who_must_have_one(role: Role, demand: Demand) -> None:
    rules = SessionRules(second_factor=demand)
    offices = role in (Role.APPROVER, Role.ADMINISTRATOR)
    expected = {Demand.NONE: False, Demand.OFFICES: offices, Demand.EVERYONE: True}[demand]
    assert rules.asks(Actor(1, "x", (Grant(role, "330212"), Grant(Role.VIEWER, "330212")))) is expected


def test_the_settings_say_how_long_sessions_last() -> None:
    tables = {"second_factor": "offices", "session_idle": 30, "session_life": 8}
    settings = settings_from({"district": {"code": "330212", "name": "鄞州区"}, "security": tables})
    rules = SessionRules.of(settings.security)
    assert rules == SessionRules(timedelta(hours=8), timedelta(minutes=30), Demand.OFFICES)
    assert SessionRules.of(settings_from({"district": {"code": "330212", "name": "鄞州区"}}).security) == SessionRules()
