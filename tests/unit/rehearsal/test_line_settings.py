import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings, Medium
from channels.line.settings import Address, LineSettings


def gateway(**options: object) -> GatewaySettings:
    return GatewaySettings("drill-sms", Medium.SMS, "rehearsal", rate=10, options=options)


@pytest.mark.parametrize("text", ["unix:/run/r.sock", "tcp:127.0.0.1:7001", "tcp:::1:7001"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "unix:", "tcp:host", "tcp:host:port", "tcp:h:70000", "http://host", "/run/r.sock"]
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="unix:/路径"):
        Address.parse(text)


@pytest.mark.parametrize(
    "options",
    [{}, {"address": "here"}, {"address": "unix:/a", "window": 0}, {"address": "unix:/a", "windw": 1}, {"address": 5}],
)
def test_wrong_options_name_the_gateway(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="drill-sms"):
        LineSettings.read(gateway(**options))


def test_the_account_is_the_gateways_name_unless_it_is_given() -> None:
    assert LineSettings.read(gateway(address="unix:/a")).account == "drill-sms"
    assert LineSettings.read(gateway(address="unix:/a", account="b", window="50")).account == "b"
