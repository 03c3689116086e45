"""The settings file that `daohu init` writes is one that `daohu` accepts, and shows the defaults."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from broadcaster.cli.init import TEMPLATE
from broadcaster.registry import Registry
from broadcaster.settings import load_settings, settings_from
from channels.speech.engines import engines

DISTRICT = {"code": "330212", "name": "鄞州区"}


def test_what_init_writes_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "daohu.toml"
    file.write_text(Template(TEMPLATE.read_text(encoding="utf-8")).substitute(DISTRICT), encoding="utf-8")
    written = load_settings(file, environment={})
    plain = settings_from({"district": DISTRICT}, folder=tmp_path)
    for section in ("data", "district", "database", "redis", "web", "approval", "speech", "policies", "gateways"):
        assert getattr(written, section) == getattr(plain, section), section


def test_what_it_only_shows_is_accepted_too(tmp_path: Path) -> None:
    shown = re.sub(r"^# (?=\[|\w+ = )", "", TEMPLATE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    file = tmp_path / "daohu.toml"
    file.write_text(Template(shown).substitute(DISTRICT), encoding="utf-8")
    settings = load_settings(file, environment={"DAOHU_SMTP_PASSWORD": "x", "DAOHU_NLS_SECRET": "x"})
    assert settings.gateways[0].name == "mail"
    Registry.installed().check(settings.gateways)
    assert settings.messages.dir == tmp_path / "messages"
    assert settings.speech.lexicon == tmp_path / "lexicon.txt"
    assert engines(settings.speech.engines)[0].voice("zh") is not None
