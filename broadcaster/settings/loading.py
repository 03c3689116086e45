"""From a file and the environment to `Settings`, or to one error that names everything wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from broadcaster.errors import SettingsError
from broadcaster.settings.checking import Checker
from broadcaster.settings.gateways import read_gateways
from broadcaster.settings.policies import read_policies
from broadcaster.settings.reading import Tree, bare, read_file
from broadcaster.settings.sections import SECTIONS, Settings
from broadcaster.settings.sensors import read_sensors
from broadcaster.settings.sources import read_sources
from broadcaster.settings.speech import read_engines

FILE_NAME = "daohu.toml"

_NO_FILE = f"\n当前目录没有 {FILE_NAME}；请运行 daohu init 生成，或用 --config 指明。"


def load_settings(file: Path | None = None, *, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `file`, of the file that DAOHU_CONFIG names, or of daohu.toml in the current folder.

    Without any file the defaults and the environment must do. Raises one `SettingsError` with every problem.
    """
    if file is None and environment.get("DAOHU_CONFIG"):
        file = Path(environment["DAOHU_CONFIG"])
    if file is None and Path(FILE_NAME).exists():
        file = Path(FILE_NAME)
    tree = read_file(file) if file is not None else bare({}, Path.cwd())
    return _checked(tree, environment, file, remedy="" if file else _NO_FILE)


def settings_from(
    values: Mapping[str, Any], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings that a file with these values would give; relative paths start at `folder`."""
    return _checked(bare(values, folder or Path.cwd()), environment or {}, None, remedy="")


def _checked(tree: Tree, environment: Mapping[str, str], source: Path | None, *, remedy: str) -> Settings:
    problems = tree.override(environment)
    checker = Checker(tree, environment)
    checker.known((), [*SECTIONS, "policies", "gateways", "sources", "sensors"], _elsewhere())
    read: dict[str, dict[str, Any]] = {}
    for name, shape in SECTIONS.items():
        checker.known((name,), [field.name for field in fields(shape)], _elsewhere())
        read[name] = checker.section(shape, (name,))
    read["speech"]["engines"] = read_engines(checker)
    policies = read_policies(checker)
    gateways = read_gateways(checker)
    sources = read_sources(checker, frozenset(gateway.name for gateway in gateways))
    sensors = read_sensors(checker)
    problems += checker.problems
    if problems:
        place = f"设置文件 {source} " if source else "设置"
        raise SettingsError(
            f"{place}有 {len(problems)} 处问题：\n" + "\n".join(f"  - {problem}" for problem in problems),
            remedy=remedy,
        )
    read["data"].setdefault("dir", tree.folder / "data")
    sections = {name: shape(**read[name]) for name, shape in SECTIONS.items()}
    return Settings(source=source, policies=policies, gateways=gateways, sources=sources, sensors=sensors, **sections)


def _elsewhere() -> dict[str, str]:
    """Where each key lives, for one that was written in the wrong section."""
    return {field.name: f"{name}.{field.name}" for name, shape in SECTIONS.items() for field in fields(shape)}
