"""What the documents say stays true: links lead somewhere; settings, events and commands exist; examples work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import typer.main

from broadcaster.alerts import form
from broadcaster.cli.app import app
from broadcaster.registry import Registry
from broadcaster.security.permissions import Role
from broadcaster.settings import load_settings
from broadcaster.settings.gateways import _Gateway
from broadcaster.settings.policies import _Plain
from broadcaster.settings.sections import SECTIONS
from broadcaster.settings.sources import KEYS
from broadcaster.web.api import TABLES
from broadcaster.web.api.replies import ReplyBatch

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("broadcaster", "channels", "adapters", "audiences", "templates")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", *(f"{package}/**/*.md" for package in PACKAGES))
    for path in ROOT.glob(pattern)
)
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_KEY = re.compile(r"^\| `([a-z_]+(?:\.[a-z_]+)+)` \|", re.MULTILINE)
_EVENT = re.compile(r'\b_?log\.(?:info|warning|error|exception)\(\s*"([a-z_.]+)"', re.IGNORECASE)
_COMMAND = re.compile(r"(?:^ {4}|bin/|`)daohu ([a-z]+)(?: ([a-z]+))?", re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """The anchors that a page of this document has: headings in lower case, blanks as hyphens."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def links(document: Path) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", document.read_text(encoding="utf-8"))
    yield from (link for link in _LINK.findall(text) if "://" not in link)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    known = {f"{section}.{field.name}" for section, shape in SECTIONS.items() for field in fields(shape)}
    known |= {f"gateways.{field.name}" for field in fields(_Gateway)}
    known |= {f"sources.{key}" for key in KEYS}
    known |= {f"policies.red.{key}" for key in ("households", "units", *(field.name for field in fields(_Plain)))}
    assert set(_KEY.findall(OPERATIONS.partition("## Logs")[0])) == known


def test_every_event_that_is_logged_is_explained() -> None:
    logged = {
        event
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for event in _EVENT.findall(path.read_text(encoding="utf-8"))
    }
    rows = [line.split("|")[1] for line in OPERATIONS.partition("## Logs")[2].splitlines() if line.startswith("| `")]
    explained = {event for row in rows for event in re.findall(r"`([a-z_.]+)`", row)}
    assert logged - explained == set()
    assert explained - logged == set()


def test_every_role_is_explained() -> None:
    assert {role.value for role in Role} <= set(re.findall(r"`([a-z_]+)`", OPERATIONS))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_command_that_is_shown_exists(document: Path) -> None:
    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    for command, word in _COMMAND.findall(document.read_text(encoding="utf-8")):
        assert command in commands, f"daohu {command}"
        inner = getattr(commands[command], "commands", None)
        assert inner is None or not word or word in inner, f"daohu {command} {word}"


@pytest.mark.parametrize("example", sorted((ROOT / "docs" / "examples").glob("*.json")), ids=name)
def test_an_example_of_an_alert_is_accepted(example: Path) -> None:
    alert = form.decode(example.read_bytes(), now=datetime(2026, 7, 1, tzinfo=UTC), sender="x", identifier="y")
    assert alert.infos[0].headline


def test_the_replies_that_are_shown_are_accepted() -> None:
    [shown] = re.findall(r"/api/v1/replies -d '\n(.*?)'$", OPERATIONS, flags=re.MULTILINE | re.DOTALL)
    assert msgspec.json.decode(shown, type=ReplyBatch).replies[0].text == "1"


def test_every_route_that_is_shown_exists() -> None:
    known = {re.sub(r"\{\w+\}", "1", endpoint.path) for table in TABLES for endpoint in table}
    known.add("/api/v1/openapi.json")
    shown = set(re.findall(r"/api/v1/[\w./*-]+", OPERATIONS))
    assert {re.sub(r"/(\d+|\*)(?=/|$)", "/1", path) for path in shown} <= known


def test_the_example_of_a_small_office_is_accepted() -> None:
    example = ROOT / "docs" / "examples" / "daohu.toml"
    settings = load_settings(example, environment={"DAOHU_SMTP_PASSWORD": "x", "DAOHU_BOUNCE_TOKEN": "x" * 16})
    Registry.installed().check(settings.gateways)
    assert [gateway.rehearsal for gateway in settings.gateways] == [False, True]


def test_both_readmes_point_to_the_same_places() -> None:
    english, chinese = (set(links(ROOT / file)) for file in ("README.md", "README.zh-CN.md"))
    assert english - {"README.zh-CN.md"} == chinese - {"README.md"}
