"""A gateway to a platform that is set up wrongly is refused at start, with the key and what is allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadcaster.errors import SettingsError
from broadcaster.testing.memory import MemoryJournal
from channels.loudspeaker.ebd import plugin
from channels.loudspeaker.ebd.settings import EbdOptions
from channels.loudspeaker.signing.signer import DeviceSigner, SoftwareSigner
from tests.harness.ebd_keys import OURS, THEIRS_SERIAL
from tests.harness.ebd_platform import gateway


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"source": "123"}, "source"),
        ({"source": "010333021200000001"}, "profile"),
        ({"profile": "2018"}, "18 位"),
        ({"profile": "2020"}, "profile"),
        ({"endpoint": "ftp://10.1.1.1/"}, "endpoint"),
        ({"key": None}, "key 和 device"),
        ({"device": "http://127.0.0.1:9/"}, "key 和 device"),
        ({"key": None, "device": "http://10.1.1.1:9/"}, "device"),
        ({"key": None, "device": "https://127.0.0.1:9/"}, "device"),
        ({"key": "11" * 33}, "key 不可用"),
        ({"cert_sn": "12"}, "cert_sn"),
        ({"peer_keys": {"12": "x"}}, "peer_keys"),
        ({"peer_keys": {THEIRS_SERIAL: "04" + "00" * 64}}, "peer_keys"),
        ({"peer_keys": {}}, "verify"),
        ({"share": "3/2"}, "share"),
        ({"event": "1"}, "event"),
        ({"verify": "always"}, "verify"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], word: str) -> None:
    with pytest.raises(SettingsError, match=word) as refused:
        plugin.build(gateway(**options), MemoryJournal())
    assert OURS not in str(refused.value)


def test_more_than_one_slot_is_refused() -> None:
    with pytest.raises(SettingsError, match="slots"):
        plugin.build(replace(gateway(), slots=2), MemoryJournal())


def test_platforms_are_called_over_plain_http_in_networks_of_their_own() -> None:
    settings = gateway(endpoint="http://10.1.1.1:8080/ebd")
    assert EbdOptions.read(settings).url.host == "10.1.1.1"


def test_either_a_key_or_a_device_signs() -> None:
    cases: list[tuple[dict[str, object], type]] = [
        ({}, SoftwareSigner),
        ({"key": None, "device": "http://127.0.0.1:9/sign"}, DeviceSigner),
    ]
    for options, kind in cases:
        settings = gateway(**options)
        assert isinstance(EbdOptions.read(settings).signer(settings), kind)


def test_nobody_needs_keys_of_a_peer_whose_signatures_are_not_asked_for() -> None:
    assert EbdOptions.read(gateway(verify="prefer", peer_keys={})).peer_keys == {}
