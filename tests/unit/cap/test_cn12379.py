"""The national platform's dialect."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters import cap, cn12379
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Circle, Colour, Kind, Reference
from broadcaster.errors import InputError
from tests.harness.alerts import typhoon

MESSAGE = """<alert xmlns="http://com.icss.amp"><identifier>33021241600000_20260810030000</identifier>
<sender>鄞州区气象台</sender><senderCode>33021241600000</senderCode><sendTime>2026-08-10 03:00:00</sendTime>
<status>Actual</status><msgType>Update</msgType><scope>Public</scope><secClassification>None</secClassification>
<references>33021241600000_1, 33021241600000_2</references>
<info><language>zh-CN</language><eventType>11B03</eventType><urgency>Immediate</urgency><severity>RED</severity>
<certainty>Likely</certainty><effective>2026-08-10 03:00:00+08:00</effective>
<expires>2026-08-10T09:00:00+08:00</expires>
<senderName>张三</senderName><headline>暴雨红色预警</headline><description>d</description><instruction>i</instruction>
<area><areaDesc>东吴镇</areaDesc><polygon>29,121 29,122 30,122 29,121</polygon><circle>29.5,121.5 3</circle>
<geocode>330212106000，330212107</geocode></area></info></alert>"""


def test_colour_times_codes_and_areas_are_read() -> None:
    alert = cn12379.read(MESSAGE.encode())
    assert (alert.hazard, alert.colour, alert.kind) == ("rainstorm", Colour.RED, Kind.WARNING)
    assert (alert.sender, alert.source) == ("33021241600000", "鄞州区气象台")
    assert alert.sent == datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
    assert alert.expires == datetime(2026, 8, 10, 1, 0, tzinfo=UTC)
    assert alert.references == tuple(Reference("", f"33021241600000_{number}", None) for number in (1, 2))
    assert areas.regions(alert) == ("330212106", "330212107")
    assert areas.circles(alert) == (Circle(121.5, 29.5, 3.0),)
    assert len(areas.polygons(alert)[0]) == 4


def test_an_unknown_event_is_named_by_its_headline_or_generic() -> None:
    assert cn12379.read(MESSAGE.replace("11B03", "").encode()).hazard == "rainstorm"
    other = cn12379.read(MESSAGE.replace("11B03", "14Z99").replace("暴雨红色", "").encode())
    assert (other.hazard, other.infos[0].event) == ("generic", "14Z99")


def test_a_cancel_is_an_all_clear() -> None:
    assert cn12379.read(MESSAGE.replace(">Update<", ">Cancel<").encode()).kind is Kind.ALL_CLEAR


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("RED", "Purple", "<severity>"),
        ("2026-08-10 03:00:00<", "today<", "<sendTime>"),
        ("<sendTime>2026-08-10 03:00:00</sendTime>", "<sendTime/>", "缺少 <sendTime>"),
        ("330212107", "33021", "<geocode>"),
        ("29,121 29,122", "29,121 x", "<polygon>"),
        ("29.5,121.5 3", "99.5,121.5 3", "<circle>"),
        (">Actual<", ">Real<", "<status>"),
        ("<references>33021241600000_1, 33021241600000_2</references>", "", "<references>"),
        ("33021241600000_20260810030000", "", "缺少 <identifier>"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(old: str, new: str, reason: str) -> None:
    with pytest.raises(InputError, match=r"第 \d+ 行") as caught:
        cn12379.read(MESSAGE.replace(old, new).encode())
    assert reason in caught.value.what


def test_a_message_without_content_is_refused() -> None:
    with pytest.raises(InputError, match="缺少 <info>"):
        cn12379.read(MESSAGE.partition("<info>")[0].encode() + b"</alert>")


def test_oasis_cap_is_sent_to_the_other_reader() -> None:
    with pytest.raises(InputError, match="12379"):
        cn12379.read(cap.write(typhoon()))
