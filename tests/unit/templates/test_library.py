"""An office's own templates: found first, file by file; wrong ones are named, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.alerts.alert import Kind
from broadcaster.errors import SettingsError
from broadcaster.ports import Medium
from templates.issuer import Issuer
from templates.library import BUILT_IN, Library
from templates.renderer import render
from templates.skeleton import Purpose
from tests.unit.templates.conftest import MakeAlert


def write(folder: Path, name: str, text: str) -> Library:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Library(folder)


def public(alert_of: MakeAlert, issuer: Issuer, library: Library, medium: Medium = Medium.SMS) -> str:
    return render(alert_of(), medium, "zh-CN", Purpose.PUBLIC, issuer=issuer, library=library).fill("江六村").text


def test_one_sentence_can_be_replaced_and_the_rest_stays(tmp_path: Path, make_alert: MakeAlert, issuer: Issuer) -> None:
    library = write(
        tmp_path,
        "typhoon/wording.zh-CN.j2",
        '{% extends "house/typhoon/wording.zh-CN.j2" %}{% block action %}请到村礼堂避风。{% endblock %}',
    )

    text = public(make_alert, issuer, library)

    assert "防御指引：请到村礼堂避风。" in text
    assert "平均风力12级以上" in text


def test_one_medium_of_one_hazard_can_have_its_own_layout(
    tmp_path: Path, make_alert: MakeAlert, issuer: Issuer
) -> None:
    library = write(
        tmp_path,
        "typhoon/loudspeaker.public.zh-CN.j2",
        '{% extends "typhoon/wording.zh-CN.j2" %}{% block text %}{{ place }}乡亲，{{ self.call() }}{% endblock %}',
    )

    assert public(make_alert, issuer, library, Medium.LOUDSPEAKER).startswith("江六村乡亲，请立即回到坚固的房屋里")
    assert public(make_alert, issuer, library, Medium.VOICE) == public(make_alert, issuer, BUILT_IN, Medium.VOICE)


def test_a_new_hazard_is_a_new_folder(tmp_path: Path, make_alert: MakeAlert, issuer: Issuer) -> None:
    library = write(
        tmp_path, "volcano/wording.zh-CN.j2", "{% extends layout %}{% block action %}请戴口罩。{% endblock %}"
    )
    alert = make_alert("volcano", event="火山喷发")

    text = render(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer, library=library).fill().text

    assert "火山喷发红色预警" in text
    assert "请戴口罩。" in text


def test_a_kind_can_be_worded_for_one_office(tmp_path: Path, make_alert: MakeAlert, issuer: Issuer) -> None:
    library = write(
        tmp_path,
        "mobilization/sms.unit.zh-CN.j2",
        '{% extends "house/mobilization/wording.zh-CN.j2" %}{% block confirm %}收到回1。{% endblock %}',
    )
    alert = make_alert(kind=Kind.MOBILIZATION)

    text = render(alert, Medium.SMS, "zh-CN", Purpose.UNIT, issuer=issuer, library=library).fill().text

    assert "收到回1。" in text
    assert "危旧房" in text


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("{% extends layout %}{% block action %}{{ nobody }}{% endblock %}", "nobody"),
        ("{% extends layout %}{% block action %}", "第 1 行"),
        ("{% extends layout %}{% block action %}{{ place.__class__.__mro__ }}{% endblock %}", "__class__"),
        ("{% extends layout %}{% block action %}{{ place|nofilter }}{% endblock %}", "nofilter"),
        ("{% extends layout %}{% block action %}{{ 1 / 0 }}{% endblock %}", "zero"),
        ('{% extends "typhoon/wording.zh-CN.j2" %}', "recursion"),
        ('{% extends "nothing.j2" %}', "nothing.j2"),
        ("{% extends layout %}{% block action %}{{ self.action() }}{% endblock %}", "recursion"),
        ("hello", "没有 text 这一块"),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_a_remedy(
    source: str, named: str, tmp_path: Path, make_alert: MakeAlert, issuer: Issuer
) -> None:
    library = write(tmp_path, "typhoon/wording.zh-CN.j2", source)

    with pytest.raises(SettingsError) as fault:
        public(make_alert, issuer, library)

    assert named in str(fault.value)
    assert fault.value.remedy


def test_checking_names_every_file_that_does_not_compile(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "wording.en.j2").write_text("{% block %}", encoding="utf-8")
    (tmp_path / "a" / "wording.zh-CN.j2").write_bytes(b"\xff\xfe")

    faults = Library(tmp_path).check()

    assert len(faults) == 2
    assert all("a/wording" in fault for fault in faults)
    assert BUILT_IN.check() == []


def test_a_folder_that_is_not_there_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as fault:
        Library(tmp_path / "missing")

    assert "[messages] dir" in str(fault.value)
