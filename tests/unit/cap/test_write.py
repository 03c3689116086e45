"""What we write is CAP 1.2 by OASIS's own schema, and reads back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from adapters import cap
from broadcaster.alerts.alert import Alert, Area, Circle, Reference
from tests.harness.alerts import alerts, typhoon, with_info


@pytest.fixture(scope="session")
def schema(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared / "data/cap/schema/CAP-v1.2.xsd"))


@given(alert=alerts)
def test_every_alert_is_valid_by_the_oasis_schema(schema: etree.XMLSchema, alert: Alert) -> None:
    schema.assertValid(etree.fromstring(cap.write(alert)))


@given(alert=alerts)
def test_every_alert_reads_back_the_same(alert: Alert) -> None:
    assert cap.read(cap.write(alert)) == alert


def test_times_are_written_in_beijing() -> None:
    assert b"<sent>2026-08-10T03:00:00+08:00</sent>" in cap.write(typhoon())


def test_numbers_are_never_scientific() -> None:
    tiny = with_info(typhoon(), areas=(Area("x", circles=(Circle(1e-7, -1e-9, 0.0),)),))
    assert b"<circle>-0.000000001,0.0000001 0.0</circle>" in cap.write(tiny)


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    written = cap.write(with_info(typhoon(), headline="台\x00风\ud800"))
    assert "台\ufffd风\ufffd" in written.decode()


def test_lines_keep_their_breaks() -> None:
    text = "一\r\n二\t三\n四"
    assert cap.read(cap.write(with_info(typhoon(), description=text))).infos[0].description == text


@pytest.mark.parametrize("web", [":", "http://x/台 风?a=b#c", "%", "mailto:a@b", "http://x/[1]", "1:2", "a b"])
def test_an_address_that_is_none_is_made_one(schema: etree.XMLSchema, web: str) -> None:
    schema.assertValid(etree.fromstring(cap.write(with_info(typhoon(), web=web))))


def test_a_reference_without_a_time_is_left_out() -> None:
    bare = replace(typhoon(), references=(Reference("s", "k-0", None),))
    assert b"<references>" not in cap.write(bare)
