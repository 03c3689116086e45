"""A backup is made and brought back by the very commands that the operator's page gives."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.harness.ports import free_port
from tests.harness.processes import ROOT, DaohuProcess, last_object, run_daohu

_COMMANDS = re.compile(r"^ {4}(?:\$BIN|BIN=| {4}-c).*$", re.MULTILINE)


def commands(folder: Path) -> tuple[str, str]:
    """What makes a backup, and what brings it back, for the installation in `folder`."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("\n## Backup\n")[2].partition("\n## ")[0]
    lines = "\n".join(line.strip() for line in _COMMANDS.findall(section))
    lines = lines.replace("/opt/daohu/.venv", sys.prefix).replace("/var/lib/daohu", str(folder))
    where, makes, *back = lines.splitlines()
    return f"{where}\n{makes}", "\n".join([where, *back])


def shell(folder: Path, lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euc", lines], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def daohu(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run_daohu(*words, "--json", folder=folder)
    assert done.returncode == code, done.stderr
    return last_object(done.stdout)


def test_the_backup_of_the_operators_page_comes_back_whole_or_not_at_all() -> None:
    port = {"DAOHU__WEB__PORT": str(free_port())}
    with tempfile.TemporaryDirectory(prefix="daohu-") as name:
        folder = Path(name)
        daohu(folder, "init", "--code", "330212", "--name", "鄞州区")
        makes, back = commands(folder)
        with DaohuProcess("serve", folder=folder, environment=port) as serve:
            serve.wait_for_log("worker.started")
            daohu(folder, "account", "add", "kept", "--role", "author")
            done = shell(folder, makes)
            assert (done.returncode, done.stderr) == (0, "")
        with DaohuProcess("serve", "--no-worker", folder=folder, environment=port) as serve:
            serve.wait_for_log("web.listening")
            daohu(folder, "account", "add", "later", "--role", "author")
            broken = shell(folder, back.replace("daohu.dump", "missing.dump"))
            assert broken.returncode != 0
            assert {"kept", "later"} <= names(folder)
            done = shell(folder, back)
            assert done.returncode == 0, done.stderr
            assert "ERROR" not in done.stderr
            assert "kept" in names(folder)
            assert "later" not in names(folder)
        with DaohuProcess("serve", folder=folder, environment=port) as serve:
            serve.wait_for_log("worker.started")
            assert daohu(folder, "audit", "verify")["whole"]
            assert daohu(folder, "doctor")["ok"]


def names(folder: Path) -> set[str]:
    return {account["name"] for account in daohu(folder, "account", "list")["accounts"]}
