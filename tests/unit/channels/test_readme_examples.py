"""The settings that the documents show are good ones."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.registry import Registry
from broadcaster.settings import load_settings
from tests.harness.ebd_keys import OURS, THEIRS, public

ROOT = Path(__file__).parents[3]
SHAPED = {
    "DAOHU_SMPP_PASSWORD": "s3cret88",
    "DAOHU_GZH_TOKEN": "token2026",
    "DAOHU_GZH_AES_KEY": "a" * 43,
    "DAOHU_QYWX_TOKEN": "token2026",
    "DAOHU_QYWX_AES_KEY": "a" * 43,
    "DAOHU_EBD_KEY": OURS,
    "DAOHU_EBD_PEER_KEY": public(THEIRS),
}
"""Secrets that must look in a certain way."""

SPEAKERS = ("terminal_tcp", "rtp_multicast", "icecast", "onvif")
READMES = [
    *(ROOT / "channels" / medium / "README.md" for medium in ("sms", "wechat", "voice", "loudspeaker")),
    *(ROOT / "channels" / "loudspeaker" / name / "README.md" for name in SPEAKERS),
]


def examples() -> Iterator[str]:
    """Each indented block that describes gateways, with its tables."""
    for readme in READMES:
        for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", readme.read_text(), re.MULTILINE):
            written = textwrap.dedent(block).strip()
            if written.startswith("[[gateways]]"):
                yield written


@pytest.mark.parametrize("written", list(examples()), ids=lambda text: re.findall(r'driver = "(\w+)"', text)[0])
def test_an_example_is_good_settings(written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = (ROOT / "docs" / "examples" / "daohu.toml").read_text()
    for name in re.findall(r'env = "(\w+)"', base + written):
        monkeypatch.setenv(name, SHAPED.get(name, "16-letters-at-it"))
    file = tmp_path / "daohu.toml"
    # what a line of options shows after "#" is not set; an ellipsis stands for the rest of a key
    file.write_text(f"{base}\n{written.replace('…', 'x')}\n")
    settings = load_settings(file)
    Registry.installed().check(settings.gateways)
