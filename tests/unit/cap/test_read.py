"""What the reader makes of a message, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters import cap
from adapters.cap.read import examine
from broadcaster.alerts import areas, lifecycle
from broadcaster.alerts.alert import Certainty, Circle, Colour, Kind, NamedValue, Reference
from broadcaster.alerts.redating import as_exercise
from broadcaster.errors import InputError
from broadcaster.xml import parse
from tests.harness.alerts import NOW, typhoon

HEAD = """<identifier>a-1</identifier><sender>s</sender><sent>2026-08-10T03:00:00+08:00</sent>
<status>Actual</status><msgType>{type}</msgType><scope>Public</scope>{references}"""
INFO = """<info><category>Met</category><event>{event}</event><urgency>Expected</urgency><severity>Severe</severity>
<certainty>Likely</certainty>{times}{headline}{area}</info>"""


def _message(
    *,
    kind: str = "Alert",
    references: str = "",
    event: str = "Typhoon",
    times: str = "<expires>2026-08-10T09:00:00+08:00</expires>",
    headline: str = "",
    area: str = "<area><areaDesc>x</areaDesc></area>",
    version: str = "1.2",
) -> bytes:
    body = HEAD.format(type=kind, references=references) + INFO.format(
        event=event, times=times, headline=headline, area=area
    )
    return f'<alert xmlns="urn:oasis:names:tc:emergency:cap:{version}">{body}</alert>'.encode()


def _area(inside: str) -> str:
    return f"<area><areaDesc>x</areaDesc>{inside}</area>"


def _warnings(data: bytes) -> list[str]:
    examination = examine(parse(data))
    assert examination.alert is not None
    return [reason.text for reason in examination.reasons]


def test_a_plain_message_is_read_without_remark() -> None:
    assert _warnings(_message()) == []
    alert = cap.read(_message())
    assert alert.sent == datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
    assert (alert.hazard, alert.colour, alert.kind) == ("typhoon", Colour.ORANGE, Kind.WARNING)
    assert alert.infos[0].language == "en-US"


def test_latitude_comes_first_in_cap_and_longitude_inside() -> None:
    shapes = "<polygon>29,121 29,122 30,122 29,121</polygon><circle>29.5,121.5 3</circle>"
    alert = cap.read(_message(area=_area(shapes)))
    assert areas.polygons(alert) == (((121.0, 29.0), (122.0, 29.0), (122.0, 30.0), (121.0, 29.0)),)
    assert areas.circles(alert) == (Circle(121.5, 29.5, 3.0),)


@pytest.mark.parametrize(
    ("event", "headline", "colour"),
    [("大风", "市气象台发布大风红色预警", Colour.RED), ("gale", "", Colour.ORANGE)],
)
def test_a_chinese_headline_says_the_colour_better_than_the_severity(event: str, headline: str, colour: Colour) -> None:
    alert = cap.read(_message(event=event, headline=f"<headline>{headline}</headline>"))
    assert (alert.hazard, alert.colour) == ("gale", colour)


def test_an_event_without_a_name_here_is_generic() -> None:
    assert cap.read(_message(event="Child Abduction")).hazard == "generic"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_message(times="<expires>2026-08-10T09:00:00</expires>"), "时区"),
        (_message(times="<expires>2026-08-10T01:00:00Z</expires>"), "不用 Z"),
        (_message(times="<expires>2026-02-30T01:00:00+08:00</expires>"), "不是存在的时刻"),
        (_message(times="<expires>2026-08-10T01:00:00</expires>", version="1.1"), "没有时区"),
        (_message(times="<expires>soon</expires>", version="1.1"), "得到“soon”"),
        (
            _message(
                times="<effective>2026-08-10T10:00:00+08:00</effective><expires>2026-08-10T09:00:00+08:00</expires>"
            ),
            "<expires> 早于 <effective>",
        ),
        (_message(times="<expires>2026-08-10T09:00:00+08:00</expires>" * 2), "重复"),
        (_message(headline="<event>x</event>"), "应在"),
        (_message(kind="Warn"), "不在允许的取值"),
        (_message(event="<b>x</b>"), "里不应有 <b>"),
        (_message(area="text" + _area("")), "不应有文字"),
        (_message(area=_area("<polygon>29,121 29,122 x 29,121</polygon>")), "不是“纬度,经度”"),
        (_message(area=_area("<polygon>29,121 29,122 29,121</polygon>")), "4 个点"),
        (_message(area=_area("<polygon>121,29 122,29 122,30 121,29</polygon>")), "写反"),
        (_message(area=_area("<circle>29,121</circle>")), "纬度,经度 半径"),
        (_message(area=_area("<circle>29,121 -3</circle>")), "半径"),
        (_message(area=_area("<geocode><valueName>x</valueName></geocode>")), "缺少 <value>"),
        (_message(area=_area("<altitude>high</altitude>")), "不是数字"),
        (_message(kind="Cancel"), "<references>"),
        (_message(kind="Update", references="<references>a b</references>"), "发送者,标识,发布时间"),
        (_message(kind="Ack", references="<references>a,b,2026-99-99T00:00:00Z</references>"), "发送者,标识,发布时间"),
        (_message(version="1.3"), "命名空间"),
        (b"<alert/>", "命名空间"),
        (_message().replace(b"<sender>s</sender>", b"<sender/>"), "<sender> 是空的"),
        (_message().replace(b"<event>", b"<language>!</language><event>"), "语言代码"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        cap.read(data)
    assert reason in caught.value.what


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (_message(times=""), "没有 <expires>"),
        (_message(times="<expires>2026-08-09T09:00:00+08:00</expires>"), "发布时就已失效"),
        (_message(area=""), "没有 <area>"),
        (_message(area=_area("<polygon/>")), "是空的，略去"),
        (_message(area=_area("<polygon>29,121 29,122 30,122</polygon>")), "没有闭合"),
        (_message(event=""), "<event> 是空的"),
        (_message(area="<area><areaDesc/></area>"), "<areaDesc> 是空的"),
        (_message(area=_area("<altitude>high</altitude>"), version="1.1"), "略去"),
        (_message().replace(b"<sender>s</sender>", b"<sender>a b</sender>"), "引用它的消息会写不出来"),
        (_message().replace(b"Public", b"Private"), "<addresses>"),
        (_message().replace(b"Public", b"Restricted"), "<restriction>"),
        (_message(kind="Cancel", references="<references>s,a,2026-08-10T03:00:00+08:00 zzz</references>"), "zzz"),
    ],
)
def test_what_is_odd_but_usable_is_taken_with_a_remark(data: bytes, remark: str) -> None:
    assert any(remark in text for text in _warnings(data))


@pytest.mark.parametrize("separator", [" ", "\n   ", ","])
def test_references_are_read_however_senders_separate_them(separator: str) -> None:
    one, two = "a b,1,2026-08-10T03:00:00+08:00", "c,2,2026-08-10T03:00:00Z"
    alert = cap.read(_message(kind="Update", references=f"<references>{one}{separator}{two}</references>"))
    assert [(one.sender, one.identifier) for one in alert.references] == [("a b", "1"), ("c", "2")]


def test_cap_1_0_is_read_in_its_own_grammar() -> None:
    data = """<alert xmlns="http://www.incident.com/cap/1.0"><identifier>k-1</identifier><sender>s</sender>
    <sent>2003-06-11T22:39:00-07:00</sent><status>Actual</status><msgType>Update</msgType>
    <password>p</password><references>k-0/s k-00/t</references><info><event>flood</event><urgency>Future</urgency>
    <severity>Minor</severity><certainty>Very Likely</certainty><eventCode>same=FFW</eventCode></info></alert>"""
    alert = cap.read(data.encode())
    assert alert.references == (Reference("s", "k-0", None), Reference("t", "k-00", None))
    assert alert.infos[0].certainty is Certainty.LIKELY
    assert alert.infos[0].event_codes == (NamedValue("same", "FFW"),)


def test_addresses_with_spaces_stand_in_quotes() -> None:
    data = _message().replace(b"</scope>", '</scope><addresses>a@x "鄞州 应急" b</addresses>'.encode())
    assert cap.read(data).addresses == ("a@x", "鄞州 应急", "b")


def test_house_codes_that_make_no_sense_are_passed_over() -> None:
    codes = b"</scope><code>daohu:kind=war</code><code>daohu:hazard=x</code><code>daohu:colour=pink</code>"
    alert = cap.read(_message().replace(b"</scope>", codes))
    assert (alert.kind, alert.hazard, alert.colour, alert.codes) == (Kind.WARNING, "typhoon", Colour.ORANGE, ())


def test_our_own_messages_keep_kind_hazard_and_colour() -> None:
    order = typhoon(kind=Kind.MOBILIZATION, hazard="hazmat", colour=Colour.BLUE)
    assert cap.read(cap.write(order)) == order


def test_a_real_message_of_chinas_meteorological_service_can_be_issued_as_an_exercise(shared: Path) -> None:
    alert = cap.read((shared / "data/cap/valid/cap12/wmo_cn_valid.xml").read_bytes())
    assert (alert.hazard, alert.colour) == ("lightning", Colour.YELLOW)
    assert areas.regions(alert) == ("130602",)
    chinese = alert.info("zh-CN")
    assert chinese is not None
    assert chinese.headline == "保定市气象台更新雷电黄色预警[Ⅲ级/较重]"
    assert {finding.code for finding in lifecycle.issuable(alert, NOW)} == {"expired", "predecessor"}
    exercise = as_exercise(alert, NOW, "330212_1")
    assert lifecycle.issuable(exercise, NOW) == []
    assert exercise.rehearsal
