"""XML that means harm, or means nothing, ends in an `InputError` and in nothing else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import cap, cn12379
from adapters.cap import Verdict
from broadcaster.alerts.alert import Alert
from broadcaster.errors import InputError
from broadcaster.xml import ATTRIBUTES_MAX, DEPTH_MAX, NODES_MAX, SIZE_MAX, parse
from tests.harness.alerts import typhoon

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><alert>&c;</alert>"""


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (LAUGHS, "DTD"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><alert/>', "DTD"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><alert>&x;</alert>', "DTD"),
        (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]><alert/>', "DTD"),
        (b'<!DOCTYPE a [<!ATTLIST alert x CDATA "y">]><alert/>', "DTD"),
        (LAUGHS.decode().replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"), "DTD"),
        (b"<a>" * (DEPTH_MAX + 1), "嵌套"),
        (b"<a>" + b"<b/>" * NODES_MAX + b"</a>", "元素超过"),
        (b"<a " + b" ".join(b'a%d=""' % n for n in range(ATTRIBUTES_MAX + 1)) + b"/>", "属性超过"),
        (b"<a b='" + b"x" * SIZE_MAX + b"'/>", "上限"),
        (b"<alert>&undefined;</alert>", "格式"),
        (b"<alert>&#0;</alert>", "格式"),
        (b"<alert></alarm>", "格式"),
        (b"<alert/><alert/>", "格式"),
        (b"<x:alert/>", "格式"),
        (b"", "格式"),
        (b"\x00" * 100, "格式"),
        (b'<?xml version="1.0" encoding="utf-7"?><alert/>', "编码"),
        (b'<?xml version="1.0" encoding="rot13"?><alert/>', "编码"),
        ("<alert>台风</alert>".encode("gbk"), "格式"),
        (b'<?xml version="1.0" encoding="gbk"?><alert>' + b"\xff\xff</alert>", "编码"),
    ],
)
def test_hostile_xml_is_refused_with_a_reason(data: bytes, word: str) -> None:
    with pytest.raises(InputError, match=word):
        parse(data)


def test_a_huge_attribute_within_the_limit_is_no_alert() -> None:
    with pytest.raises(InputError, match="命名空间"):
        cap.read(b"<alert b='" + b"x" * 1_000_000 + b"'/>")


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_time_at_the_end_of_all_times_is_refused_and_not_stumbled_over(time: str) -> None:
    sent = f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x</identifier><sent>{time}</sent></alert>'
    with pytest.raises(InputError, match="不是存在的时刻"):
        cap.read(sent.encode())


def test_an_alert_in_a_chinese_encoding_is_read() -> None:
    text = cap.write(typhoon()).decode().replace("UTF-8", "GB2312", 1)
    assert cap.read(text.encode("gb18030")) == typhoon()


def test_an_alert_in_utf16_is_read() -> None:
    text = cap.write(typhoon()).decode().replace("UTF-8", "UTF-16", 1)
    assert cap.read(text.encode("utf-16")) == typhoon()


def test_comments_and_style_sheets_are_passed_over() -> None:
    data = cap.write(typhoon()).replace(b"?>", b"?><?xml-stylesheet href='http://127.0.0.1/x.xsl'?><!-- x -->", 1)
    assert cap.read(data) == typhoon()


def test_a_message_wrong_in_a_thousand_places_names_fifty(tmp_path: Path) -> None:
    file = tmp_path / "x.cap"
    file.write_bytes(cap.write(typhoon()).replace(b"</alert>", b"<zzz/>" * 1000 + b"</alert>"))
    judgement = cap.judge(file)
    assert judgement.verdict is Verdict.REFUSED
    assert len(judgement.reasons) == 51
    assert "950" in judgement.reasons[-1]


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.xml"
    with large.open("wb") as file:
        file.truncate(SIZE_MAX + 1)
    assert "超过上限" in cap.judge(large).reasons[0]
    assert "读不了" in cap.judge(tmp_path / "missing.xml").reasons[0]


WELL_FORMED = cap.write(typhoon())


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(data: bytes) -> None:
    for read in (cap.read, cn12379.read):
        with pytest.raises(InputError):
            read(data)


@given(st.integers(0, len(WELL_FORMED) - 1), st.integers(0, 40), st.binary(max_size=12))
def test_a_damaged_alert_is_an_alert_or_an_input_error(at: int, length: int, put: bytes) -> None:
    with suppress(InputError):
        assert isinstance(cap.read(WELL_FORMED[:at] + put + WELL_FORMED[at + length :]), Alert)


_tags = st.sampled_from(["alert", "info", "sent", "references", "area", "polygon", "circle", "geocode", "sendTime"])
_texts = st.sampled_from(
    [
        "",
        "1,2 3,4",
        "9" * 400,
        "1e9,1e9",
        "2026-02-30T00:00:00+08:00",
        "a,b,9999-99-99T00:00:00Z",
        "Actual",
        "\U0010ffff",
    ]
)
_trees = st.recursive(
    st.tuples(_tags, _texts).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"),
    lambda inner: st.tuples(_tags, st.lists(inner, max_size=4)).map(
        lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=12,
)
_namespaces = st.sampled_from(
    ["urn:oasis:names:tc:emergency:cap:1.2", "http://www.incident.com/cap/1.0", "http://com.icss.amp"]
)


@given(_namespaces, st.lists(_trees, max_size=6))
def test_random_trees_of_caps_own_elements_are_an_alert_or_an_input_error(namespace: str, trees: list[str]) -> None:
    data = f'<alert xmlns="{namespace}">{"".join(trees)}</alert>'.encode()
    for read in (cap.read, cn12379.read):
        with suppress(InputError):
            assert isinstance(read(data), Alert)
