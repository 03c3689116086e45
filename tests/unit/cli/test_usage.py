"""What the command line says before it does anything: help in Chinese, wrong usage, wrong settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broadcaster.cli.app import app

COMMANDS = [
    "init",
    "serve",
    "worker",
    "demo",
    "import regions",
    "import households",
    "import duties",
    "import terminals",
    "plan",
    "issue",
    "status",
    "doctor",
    "audit verify",
    "cap check",
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAOHU_CONFIG", raising=False)
    return tmp_path


def run(words: str) -> Result:
    return CliRunner().invoke(app, words.split())


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_explains_itself_in_chinese(words: str) -> None:
    result = run(f"{words} --help")
    assert result.exit_code == 0
    assert "显示帮助后退出" in result.stdout
    assert "--config" in result.stdout


def test_without_a_command_the_commands_are_listed() -> None:
    said = run("--help").stdout
    assert "户户有交代" in said
    assert all(words.split()[0] in said for words in COMMANDS)


@pytest.mark.parametrize(
    "words", ["bogus", "status --bogus", "import households", "demo --households x", "demo --seed"]
)
def test_wrong_usage_ends_with_2(words: str) -> None:
    assert run(words).exit_code == 2


@pytest.mark.parametrize("words", ["status", "serve", "worker", "doctor", "audit verify", "import households x.csv"])
def test_wrong_settings_end_with_2_and_say_where(elsewhere: Path, words: str) -> None:
    (elsewhere / "daohu.toml").write_text("[district]\ncode = 1\n", encoding="utf-8")
    result = run(words)
    assert result.exit_code == 2
    assert "daohu.toml:2" in result.stderr
    assert not (elsewhere / "data").exists()


def test_without_settings_the_way_to_get_some_is_named() -> None:
    result = run("status --json")
    assert result.exit_code == 2
    assert "daohu init" in result.stderr
    assert '"code": "settings"' in result.stdout.splitlines()[-1]


def test_init_without_a_terminal_says_what_it_needs(elsewhere: Path) -> None:
    assert "--code" in run("init").stderr
    result = run("init --code 12 --name x")
    assert result.exit_code == 2
    assert "六位" in result.stderr
    assert not (elsewhere / "daohu.toml").exists()


def test_a_hazard_that_nobody_knows_is_refused() -> None:
    result = run("demo --hazard locusts --json")
    assert result.exit_code == 2
    assert "typhoon" in result.stderr
