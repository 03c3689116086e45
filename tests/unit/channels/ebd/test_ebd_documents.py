"""Every document of the platforms is written in the standard's order and read back as it was."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from broadcaster.clock import BEIJING
from broadcaster.errors import InputError
from broadcaster.xml import parse
from channels.loudspeaker.ebd import ebd
from channels.loudspeaker.ebd.documents import EBM, ConnectionCheck, EBDResponse, EBMStateResponse, Resource
from channels.loudspeaker.ebd.ebd import BODIES, EBD
from channels.loudspeaker.ebd.profile import PROFILES, Profile
from channels.loudspeaker.ebd.shape import MissingError

AT = datetime(2026, 11, 23, 8, 0, 1, tzinfo=BEIJING)
NEW, OLD = PROFILES["2023"], PROFILES["2018"]


def full(shape: type, depth: int = 0) -> Any:
    """A value of `shape` in which every field says something."""
    hints = get_type_hints(shape)
    given: dict[str, Any] = {}
    for one in dataclasses.fields(shape):
        kind = hints[one.name]
        many = get_origin(kind) is tuple
        if many:
            kind = get_args(kind)[0]
        elif isinstance(kind, UnionType):
            kind = next(each for each in get_args(kind) if each is not type(None))
        value = AT if kind is datetime else f"{one.name}<&>{depth}" if kind is str else full(kind, depth + 1)
        given[one.name] = (value, value) if many else value
    return shape(**given)


def document(kind: str, body: Any, profile: Profile = NEW) -> EBD:
    source = Resource(ebrid="4" + "1" * (profile.resource - 1), url="http://10.1.1.1:8080/ebd")
    related = "1" * profile.package
    return EBD("1" * profile.package, kind, source, Resource(ebrid=source.ebrid), AT, related, body)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("kind", BODIES)
def test_what_is_written_is_read_back(kind: str, profile: Profile) -> None:
    said = document(kind, full(BODIES[kind]), profile)
    assert ebd.read(ebd.write(said, profile), profile) == said


def test_the_head_is_in_the_standards_order_and_the_body_is_named_as_its_type() -> None:
    root = parse(ebd.write(document("EBDResponse", EBDResponse(result_code="1", result_desc="好")), NEW))
    names = ["EBDVersion", "EBDID", "EBDType", "SRC", "DEST", "EBDTime", "RelatedEBD", "EBDResponse"]
    assert [child.name for child in root.children] == names
    assert root.value("EBDTime") == "2026-11-23 08:00:01"


def test_a_document_is_utf_8_without_a_mark() -> None:
    written = ebd.write(document("EBM", full(EBM)), NEW)
    assert written.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


def test_an_ebm_has_its_parts_in_the_standards_order() -> None:
    ebm = parse(ebd.write(document("EBM", full(EBM)), NEW)).first("EBM")
    assert ebm is not None
    assert [one.name for one in ebm.children] == [
        "EBMVersion", "EBMID", "RelatedInfo", "MsgBasicInfo", "MsgContent", "Dispatch", "Dispatch",
    ]  # fmt: skip
    basic = ebm.first("MsgBasicInfo")
    assert basic is not None
    assert [one.name for one in basic.children] == [
        "MsgType", "SenderName", "SenderCode", "SendTime", "EventType", "Severity", "StartTime", "EndTime",
    ]  # fmt: skip


def test_the_older_dialect_has_its_own_name_for_the_time_of_sending_and_either_is_read() -> None:
    written = ebd.write(document("EBM", full(EBM), OLD), OLD)
    assert b"<SentTime>" in written
    assert b"<SendTime>" not in written
    either = written.replace(b"SentTime>", b"SendTime>")
    assert ebd.read(either, OLD) == ebd.read(written, OLD)


def test_a_report_of_someone_else_is_read() -> None:
    report = ebd.read(REPORT.encode(), NEW)
    assert isinstance(report.body, EBMStateResponse)
    assert report.body.played is not None
    (item,) = report.body.played.items
    (playing,) = item.ebrbs
    assert (playing.brd_sys_info, playing.brd_state_code) == ("43415230000000314010301", "3")
    assert item.ebrst is not None
    assert item.ebrst.ebrid is None
    assert playing.end_time == datetime(2026, 11, 23, 8, 0, 25, tzinfo=BEIJING)


def test_a_sign_of_life_may_be_empty() -> None:
    said = ebd.write(document("ConnectionCheck", None), NEW)
    assert ebd.read(said, NEW).body == ConnectionCheck()


def test_an_unknown_kind_is_a_document_without_a_body() -> None:
    said = ebd.write(document("EBMStreamPortRequest", None), NEW)
    assert ebd.read(said, NEW).body is None


@pytest.mark.parametrize("name", ["EBDID", "EBDType", "SRC", "EBDTime", "EBDVersion", "EBDResponse", "ResultCode"])
def test_what_must_be_there_is_missed_by_name(name: str) -> None:
    written = ebd.write(document("EBDResponse", EBDResponse(result_code="1")), NEW).decode()
    before, _, rest = written.partition(f"<{name}>")
    _, _, after = rest.partition(f"</{name}>")
    with pytest.raises(MissingError, match=name):
        ebd.read((before + after).encode(), NEW)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("<EBDTime>2026-11-23 08:00:01", "<EBDTime>2026-11-23T08:00:01", "EBDTime"),
        ("<EBDTime>2026-11-23 08:00:01", "<EBDTime>2026-13-23 08:00:01", "EBDTime"),
        ("<EBDID>1", "<EBDID>11", "EBDID"),
        ("<EBRID>4", "<EBRID>9", "EBRID"),
        ("<ResultCode>1</ResultCode>", "<ResultCode>1</ResultCode><ResultCode>2</ResultCode>", "2 次"),
        ("<ResultCode>1</ResultCode>", "<ResultCode><a/></ResultCode>", "文字"),
        ("<EBD ", "<!DOCTYPE EBD [<!ENTITY a 'b'>]><EBD ", "DTD"),
        ("EBD>", "EBX>", "格式"),
    ],
)
def test_what_is_no_such_document_is_refused(old: str, new: str, word: str) -> None:
    written = ebd.write(document("EBDResponse", EBDResponse(result_code="1")), NEW).decode()
    assert old in written
    with pytest.raises(InputError, match=word):
        ebd.read(written.replace(old, new).encode(), NEW)


def test_a_document_of_the_other_dialect_is_refused_with_a_word() -> None:
    with pytest.raises(InputError, match=r"profile|EBDID"):
        ebd.read(ebd.write(document("ConnectionCheck", None, OLD), OLD), NEW)


REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<EBD xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <EBDVersion>1</EBDVersion><EBDID>10434152300000003140103012026112300000002</EBDID><EBDType>EBMStateResponse</EBDType>
  <SRC><EBRID>43415230000000314010301</EBRID></SRC><DEST><EBRID>43415230000000103010101</EBRID></DEST>
  <EBDTime>2026-11-23 08:00:30</EBDTime>
  <EBMStateResponse>
    <RptTime>2026-11-23 08:00:30</RptTime><EBM><EBMID>43415230000000103010101202611230001</EBMID></EBM>
    <BrdStateCode>3</BrdStateCode><BrdStateDesc>播发成功</BrdStateDesc>
    <Coverage><CoverageRate>0.98</CoverageRate><AreaCode>341523000000</AreaCode><ResBrdStat>1,1,1,58</ResBrdStat></Coverage>
    <ResBrdInfo><ResBrdItem>
      <EBRPS><EBRID>43415230000000103010101</EBRID></EBRPS><EBRST><EBRID></EBRID></EBRST>
      <EBRAS><EBRID>43415230000000103010201</EBRID></EBRAS>
      <EBRBS><RptTime>2026-11-23 08:00:30</RptTime><BrdSysInfo>43415230000000314010301</BrdSysInfo>
        <StartTime>2026-11-23 08:00:05</StartTime><EndTime>2026-11-23 08:00:25</EndTime><FileURL></FileURL>
        <BrdStateCode>3</BrdStateCode><BrdStateDesc>播发成功</BrdStateDesc></EBRBS>
    </ResBrdItem></ResBrdInfo>
  </EBMStateResponse>
</EBD>"""
