"""What `[[sources]]` may say, and how what is wrong there is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broadcaster import adapters
from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.colour import Colour
from broadcaster.errors import NotFoundError, SettingsError
from broadcaster.settings import Settings, settings_from
from broadcaster.sources import DeedRule, SignaturePolicy

DISTRICT = {"code": "330212", "name": "鄞州区"}
GATEWAY = {"name": "met", "channel": "sms", "driver": "rehearsal", "rate": 1}


def made(*sources: dict[str, Any], environment: dict[str, str] | None = None, **others: Any) -> Settings:
    values = {"district": DISTRICT, "sources": list(sources), **others}
    return settings_from(values, folder=Path("/etc/daohu"), environment=environment)


def test_a_source_has_everything_by_its_name_and_little_must_be_said() -> None:
    one = made({"name": "met", "kind": "cap"}).source_named("met")
    assert (one.address, one.interval, one.trust, one.signature) == ("", 60.0, Deed.NOTIFY, SignaturePolicy.IGNORE)
    with pytest.raises(NotFoundError):
        made().source_named("met")


def test_paths_start_at_the_file_and_the_kinds_own_keys_are_kept() -> None:
    one = made(
        {
            "name": "met",
            "kind": "cap",
            "address": "drop",
            "signature": "require",
            "certificates": ["met.pem"],
            "timeout": 5,
        }
    ).sources[0]
    assert one.address == "/etc/daohu/drop"
    assert one.certificates == (Path("/etc/daohu/met.pem"),)
    assert one.options == {"timeout": 5}


def test_what_messages_may_become_is_named_by_hazard_and_colour() -> None:
    hold = {"do": "hold", "hazards": ["typhoon"], "colours": ["red", "orange"], "hold": 300}
    one = made({"name": "met", "kind": "cap", "trust": "draft", "deeds": [hold, {"do": "notify"}]}).sources[0]
    assert one.deeds == (
        DeedRule(
            do=Deed.HOLD, hazards=frozenset({"typhoon"}), colours=frozenset({Colour.RED, Colour.ORANGE}), hold=300.0
        ),
        DeedRule(do=Deed.NOTIFY),
    )
    assert one.options == {}


def test_the_environment_goes_before_the_file() -> None:
    source = {"name": "met-office", "kind": "cap"}
    for name in ("DAOHU__SOURCES__MET_OFFICE__TRUST", "DAOHU__SOURCES__0__TRUST"):
        assert made(source, environment={name: "draft"}).sources[0].trust is Deed.DRAFT
    with pytest.raises(SettingsError, match="没有这个来源"):
        made(source, environment={"DAOHU__SOURCES__OTHER__TRUST": "draft"})


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": "Met"}, "sources[0].name"),
        ({"kind": None}, "sources[0].kind"),
        ({"address": "ftp://x/"}, "sources[0].address"),
        ({"address": "http://user:key@x/"}, "sources[0].address"),
        ({"interval": 1}, "sources[0].interval"),
        ({"trust": "issue"}, "sources[0].trust"),
        ({"deeds": [{"do": "issue"}]}, "sources[0].deeds.0.do"),
        ({"deeds": [{"do": "hold", "hazards": ["typhoon"]}]}, "sources[0].deeds.0.do"),
        ({"deeds": [{"do": "issue", "hazards": ["typhoon"], "colours": ["pink"]}]}, "sources[0].deeds.0.colours"),
        ({"deeds": [{"do": "draft", "hazards": ["thunder god"]}]}, "sources[0].deeds.0.hazards"),
        ({"deeds": [{"do": "draft", "hold": 60}]}, "sources[0].deeds.0.hold"),
        ({"deeds": [{"hazards": ["typhoon"]}]}, "sources[0].deeds.0.do"),
        ({"deeds": [{"do": "draft", "colors": ["red"]}]}, "colors"),
        ({"deeds": {"do": "draft"}}, "sources[0].deeds"),
        ({"signature": "require"}, "sources[0].certificates"),
        ({"signature": "perhaps"}, "sources[0].signature"),
        ({"certificates": "met.pem"}, "sources[0].certificates"),
        ({"codes": {"EMMA_ID CN1": "33"}}, "sources[0].codes"),
        ({"answer_to": "x"}, "sources[0].answer_to"),
        ({"private": "yes"}, "sources[0].private"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(wrong: dict[str, Any], word: str) -> None:
    source = {name: value for name, value in {"name": "met", "kind": "cap", **wrong}.items() if value is not None}
    with pytest.raises(SettingsError) as caught:
        made(source)
    assert word in str(caught.value)
    assert "key@" not in str(caught.value)


def test_names_are_given_once_to_gateways_and_sources_alike() -> None:
    source = {"name": "met", "kind": "cap"}
    with pytest.raises(SettingsError, match="重名"):
        made(source, source)
    with pytest.raises(SettingsError, match="重名"):
        made(source, gateways=[GATEWAY])


def test_a_kind_that_is_not_installed_is_told_at_start() -> None:
    with pytest.raises(SettingsError, match="pigeon"):
        adapters.sources(made({"name": "met", "kind": "pigeon"}).sources)
    assert set(adapters.sources(made({"name": "met", "kind": "cap"}).sources)) == {"met"}
