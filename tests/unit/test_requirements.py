"""`make setup` installs what pyproject.toml asks for: nothing may be named there and not be pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", one, maxsplit=1)[0].lower() for one in requirements}


def pinned(extent: str) -> set[str]:
    content = (ROOT / "requirements" / f"{extent}.txt").read_text(encoding="utf-8")
    return {line.split("==")[0].lower() for line in content.splitlines() if re.match(r"[A-Za-z0-9]", line)}


@pytest.mark.parametrize(("extent", "groups"), [("base", ["build"]), ("dev", ["build", "dev"])])
def test_every_package_the_project_names_is_pinned(extent: str, groups: list[str]) -> None:
    asked = names(project()["project"]["dependencies"])
    for group in groups:
        asked |= names(project()["dependency-groups"][group])
    assert asked - pinned(extent) == set(), "run `make requirements`"


@pytest.mark.parametrize("extent", ["base", "dev"])
def test_every_pin_has_its_hashes_and_names_no_host(extent: str) -> None:
    content = (ROOT / "requirements" / f"{extent}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[A-Za-z0-9].*==.*$", content, flags=re.MULTILINE)
    assert pins
    assert all(pin.rstrip().endswith("\\") for pin in pins), "a pin without a hash"
    assert "://" not in content
