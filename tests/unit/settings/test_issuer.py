"""In whose name messages go out, as the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import SettingsError
from broadcaster.house.opening import issuer_of
from broadcaster.settings import settings_from
from templates.issuer import Issuer
from templates.language import language_of


def issuer(folder: Path, **district: str) -> Issuer:
    return issuer_of(
        settings_from({"district": {"code": "330212", "name": "鄞州区", **district}}, folder=folder).district
    )


def test_the_emergency_office_signs_where_nothing_else_is_said(tmp_path: Path) -> None:
    assert issuer(tmp_path) == Issuer(name="鄞州区应急管理局", district="鄞州区", hotline="119")


def test_another_office_signs_in_each_language(tmp_path: Path) -> None:
    found = issuer(
        tmp_path,
        issuer="鄞州区防指",
        english_issuer="Yinzhou Flood Control",
        english_name="Yinzhou",
        hotline="0574-87654321",
    )
    assert found.signature(language_of("zh-CN")) == "鄞州区防指"
    assert (found.signature(language_of("en")), found.place(language_of("en"))) == ("Yinzhou Flood Control", "Yinzhou")
    assert found.hotline == "0574-87654321"


def test_no_number_may_be_told(tmp_path: Path) -> None:
    assert issuer(tmp_path, hotline="").hotline == ""


@pytest.mark.parametrize("hotline", ["119或110", "12", "0574 87654321"])
def test_a_number_that_nobody_can_dial_is_refused(tmp_path: Path, hotline: str) -> None:
    with pytest.raises(SettingsError, match=r"district\.hotline"):
        issuer(tmp_path, hotline=hotline)
