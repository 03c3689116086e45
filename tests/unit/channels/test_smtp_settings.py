"""A mail gateway's options: right, or refused at start with the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings, Medium
from channels.email.settings import SmtpSettings

RIGHT = {"host": "smtp.example.cn", "sender": "Yujing@EBS.example.cn"}


def read(**options: object) -> SmtpSettings:
    gateway = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=10, options={**RIGHT, **options})
    return SmtpSettings.read(gateway)


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("implicit", 465), ("none", 25)])
def test_the_port_follows_from_the_kind_of_tls(tls: str, port: int) -> None:
    assert read(tls=tls).port == port
    assert read(tls=tls, port="2525").port == 2525


def test_tls_is_the_default_and_checks_certificates() -> None:
    context = read().tls_context
    assert context is not None
    assert context.check_hostname


def test_addresses_come_out_in_canonical_form() -> None:
    assert read().sender == "Yujing@ebs.example.cn"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"host": ""}, "host"),
        ({"host": "smtp example"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 70000}, "port"),
        ({"port": "smtp"}, "port"),
        ({"tls": "ssl"}, "tls"),
        ({"sender": "yujing"}, "sender"),
        ({"sender": "应急@example.cn"}, "sender"),
        ({"sender": "a@example.cn\r\nBcc: b@example.cn"}, "sender"),
        ({"sender_name": "应急局\r\nBcc: b@example.cn"}, "sender_name"),
        ({"reply_to": "nobody"}, "reply_to"),
        ({"return_path": "nobody"}, "return_path"),
        ({"user": "daohu"}, "password"),
        ({"password": "hunter2"}, "user"),
        ({"user": "daohu", "password": "hunter2", "tls": "none"}, "tls"),
        ({"bounce_token": "short"}, "bounce_token"),
        ({"timeout": 0}, "timeout"),
        ({"ca": "/nonexistent.pem"}, "ca"),
        ({"pasword": "hunter2"}, "pasword"),
    ],
)
def test_a_wrong_option_is_named_with_a_remedy_and_without_the_secret(options: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(**options)
    assert named in str(refusal.value)
    assert refusal.value.remedy
    assert "mail" in refusal.value.what
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("missing", ["host", "sender"])
def test_what_is_required_must_be_there(missing: str) -> None:
    options = {key: value for key, value in RIGHT.items() if key != missing}
    with pytest.raises(SettingsError, match=missing):
        SmtpSettings.read(GatewaySettings("mail", Medium.EMAIL, "smtp", rate=10, options=options))


def test_a_password_to_this_machine_may_go_in_clear() -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert read(host=host, user="daohu", password="hunter2", tls="none").tls_context is None


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "ca.pem"
    odd.write_text("not a certificate")
    with pytest.raises(SettingsError, match="ca"):
        read(ca=str(odd))
