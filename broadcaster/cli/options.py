"""Options that every command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="设置文件；默认 DAOHU_CONFIG 所指，或当前目录的 daohu.toml。"),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="最后一行输出一个 JSON 对象，供程序读取。")]
