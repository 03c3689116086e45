"""A mail gateway's options: right, or refused at start with the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.testing.memory import MemoryJournal
from channels.email.settings import SmtpSettings
from channels.email.smtp import SmtpPlugin

RIGHT = {"host": "smtp.example.cn", "sender": "Yujing@EBS.example.cn"}


SEALED = {"bounce_token": "a token long enough to be one"}
MAILBOX = {"imap_host": "imap.example.cn", "imap_user": "tuixin", "imap_password": "hunter2", **SEALED}


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
        ({"listen": "10025", **SEALED}, "listen"),
        ({"listen": "127.0.0.1:99999", **SEALED}, "listen"),
        ({"listen": "unix:relative", **SEALED}, "listen"),
        ({"listen": "127.0.0.1:10025"}, "bounce_token"),
        ({"replies": True, "reply_to": "huifu@example.cn"}, "bounce_token"),
        ({"replies": True, **SEALED}, "reply_to"),
        ({"imap_host": "imap.example.cn", "imap_user": "a", "imap_password": "hunter2"}, "bounce_token"),
        ({"imap_host": "imap.example.cn", "imap_user": "a", **SEALED}, "imap_password"),
        ({**MAILBOX, "imap_tls": "none"}, "imap_tls"),
        ({**MAILBOX, "imap_folder": 'a" DELETE "b'}, "imap_folder"),
        ({**MAILBOX, "imap_every": 0}, "imap_every"),
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


@pytest.mark.parametrize(
    ("written", "host", "port", "path"),
    [
        ("127.0.0.1:10025", "127.0.0.1", 10025, ""),
        ("[::1]:24", "::1", 24, ""),
        ("unix:/run/daohu/mail.sock", "", 0, "/run/daohu/mail.sock"),
    ],
)
def test_where_to_listen_is_a_port_or_a_socket(written: str, host: str, port: int, path: str) -> None:
    place = read(listen=written, **SEALED).listen
    assert place is not None
    assert (place.host, place.port, place.path) == (host, port, path)


@pytest.mark.parametrize(("tls", "port"), [("implicit", 993), ("starttls", 143)])
def test_the_mailboxs_port_follows_from_the_kind_of_tls(tls: str, port: int) -> None:
    assert read(**MAILBOX, imap_tls=tls).imap_port == port
    assert read(**MAILBOX, imap_tls=tls).imap_tls_context is not None


@pytest.mark.parametrize("shared", [{"listen": "127.0.0.1:10025", **SEALED}, MAILBOX], ids=["port", "mailbox"])
def test_two_gateways_do_not_take_each_others_bounces(shared: dict[str, object]) -> None:
    plugin = SmtpPlugin()

    def gateway(name: str, **options: object) -> GatewaySettings:
        return GatewaySettings(name, Medium.EMAIL, "smtp", rate=10, options={**RIGHT, **shared, **options})

    plugin.build(gateway("mail"), MemoryJournal())
    plugin.build(gateway("mail"), MemoryJournal())
    plugin.build(gateway("mail", timeout=5), MemoryJournal())
    with pytest.raises(SettingsError, match="共用"):
        plugin.build(gateway("other"), MemoryJournal())
    elsewhere = {"listen": "127.0.0.1:10026"} if "listen" in shared else {"imap_folder": "other"}
    plugin.build(gateway("other", **elsewhere), MemoryJournal())


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "ca.pem"
    odd.write_text("not a certificate")
    with pytest.raises(SettingsError, match="ca"):
        read(ca=str(odd))
