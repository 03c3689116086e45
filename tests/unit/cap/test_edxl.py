"""EDXL-DE envelopes: what they carry comes out whole, and never more real than its envelope."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import xmlschema

from adapters import cap
from adapters.cap import edxl
from adapters.cap.message import judge
from adapters.cap.source import plugin
from adapters.cap.trust import Anchors
from broadcaster.alerts.alert import Status
from broadcaster.errors import InputError
from broadcaster.sources import Judged, SignaturePolicy, SourceSettings, Verdict
from broadcaster.xml import parse
from tests.harness.alerts import NOW
from tests.harness.warnings import foreign, xml

HEAD = (
    "<distributionID>D1</distributionID><senderID>qxj@example.cn</senderID>"
    "<dateTimeSent>2026-08-10T03:00:00+08:00</dateTimeSent><distributionStatus>{status}</distributionStatus>"
    "<distributionType>Report</distributionType><combinedConfidentiality>UNCLASSIFIED</combinedConfidentiality>"
)
SOURCE = plugin.build(SourceSettings(name="met", kind="cap"))


def body(message: bytes) -> str:
    return message.decode().partition("?>")[2]


def embedded(*messages: bytes) -> str:
    one = "<contentObject><xmlContent><embeddedXMLContent>{}</embeddedXMLContent></xmlContent></contentObject>"
    return "".join(one.format(body(message)) for message in messages)


def encoded(message: bytes, media: str = "application/cap+xml") -> str:
    data = base64.b64encode(message).decode()
    content = f"<mimeType>{media}</mimeType><contentData>{data}</contentData>"
    return f"<contentObject><nonXMLContent>{content}</nonXMLContent></contentObject>"


def envelope(content: str, status: str = "Actual", namespace: str = edxl.V10) -> bytes:
    head = HEAD.format(status=status)
    return f'<EDXLDistribution xmlns="{namespace}">{head}{content}</EDXLDistribution>'.encode()


def judged(document: bytes) -> Judged:
    return judge(document, SignaturePolicy.IGNORE, Anchors(), NOW)


@pytest.mark.parametrize("content", [embedded(xml(foreign())), encoded(xml(foreign()))])
def test_a_message_comes_out_of_its_envelope_as_it_went_in(content: str, shared: Path) -> None:
    document = envelope(content)
    xmlschema.XMLSchema(str(shared / "data" / "cap" / "schema" / "edxlde-1_0.xsd")).validate(document.decode())
    assert SOURCE.messages(document) == [document]
    found = judged(document)
    assert (found.verdict, found.alert) == (Verdict.ACCEPTED, cap.read(xml(foreign())))


def test_each_of_several_messages_keeps_the_envelope(tmp_path: Path) -> None:
    messages = [xml(foreign(f"QX_{number}")) for number in (1, 2)]
    document = envelope(embedded(*messages) + encoded(xml(foreign("QX_3"))), status="Test")
    found = [judged(one).alert for one in SOURCE.messages(document)]
    assert [alert.identifier for alert in found if alert] == ["QX_1", "QX_2", "QX_3"]
    assert {alert.status for alert in found if alert} == {Status.TEST}
    file = tmp_path / "three.xml"
    file.write_bytes(document)
    assert cap.judge(file).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("outside", "inside", "status"),
    [
        ("Actual", Status.ACTUAL, Status.ACTUAL),
        ("Exercise", Status.ACTUAL, Status.EXERCISE),
        ("Test", Status.ACTUAL, Status.TEST),
        ("System", Status.ACTUAL, Status.SYSTEM),
        ("Actual", Status.EXERCISE, Status.EXERCISE),
        ("Test", Status.EXERCISE, Status.EXERCISE),
    ],
)
def test_nothing_is_more_real_than_its_envelope(outside: str, inside: Status, status: Status) -> None:
    found = judged(envelope(embedded(xml(foreign(status=inside))), outside))
    assert found.alert is not None
    assert found.alert.status is status
    assert any("信封" in reason for reason in found.reasons) == (status is not inside)


def test_an_envelope_of_the_newer_version_is_read() -> None:
    status = "<distributionStatus><StatusKindDefault>Exercise</StatusKindDefault></distributionStatus>"
    document = envelope(embedded(xml(foreign())), namespace=edxl.V20).decode()
    document = document.replace("<distributionStatus>Actual</distributionStatus>", status)
    found = judged(document.encode())
    assert found.alert is not None
    assert found.alert.status is Status.EXERCISE


@pytest.mark.parametrize(
    ("document", "word"),
    [
        (envelope(embedded(xml(foreign())), status="Perhaps"), "distributionStatus"),
        (envelope(embedded(xml(foreign())), status=""), "distributionStatus"),
        (envelope(""), "没有 CAP 消息"),
        (envelope(encoded(b"%PDF", "application/pdf")), "没有 CAP 消息"),
        (envelope(encoded(b"<html/>")), "不是预警消息"),
        (envelope(encoded(b"\x00\x01")), "xml"),
        (envelope(embedded(xml(foreign()).replace(b"<scope>Public</scope>", b""))), "<scope>"),
    ],
)
def test_what_is_wrong_with_an_envelope_or_its_message_is_told(document: bytes, word: str, tmp_path: Path) -> None:
    found = judged(document)
    assert (found.verdict, found.alert) == (Verdict.REFUSED, None)
    assert any(word in reason for reason in found.reasons), found.reasons
    file = tmp_path / "wrong.xml"
    file.write_bytes(document)
    assert any(word in reason for reason in cap.judge(file).reasons)


def test_an_element_that_the_envelope_lacks_is_only_told() -> None:
    document = envelope(embedded(xml(foreign()))).replace(b"<senderID>qxj@example.cn</senderID>", b"")
    found = judged(document)
    assert found.verdict is Verdict.WITH_WARNINGS
    assert any("<senderID>" in reason for reason in found.reasons)


def test_an_envelope_is_no_way_round_the_bounds_of_xml() -> None:
    for document in (
        b"<!DOCTYPE a>" + envelope(embedded(xml(foreign()))),
        envelope(encoded(b"<!DOCTYPE a [<!ENTITY b 'c'>]><alert>&b;</alert>")),
    ):
        assert judged(document).verdict is Verdict.REFUSED
    with pytest.raises(InputError):
        SOURCE.messages(b"<!DOCTYPE a>" + envelope(""))
    assert edxl.is_envelope(parse(envelope("")))


def test_only_so_many_messages_come_out_of_one_envelope() -> None:
    many = "<contentData>x</contentData>" * 20_000
    content = f"<contentObject><nonXMLContent><mimeType>text/plain</mimeType>{many}</nonXMLContent></contentObject>"
    document = envelope(embedded(xml(foreign())) + content)
    assert SOURCE.messages(document) == [document]
    with pytest.raises(InputError, match="最多"):
        SOURCE.messages(envelope(embedded(*[xml(foreign())] * (edxl.MESSAGES_MAX + 1))))
