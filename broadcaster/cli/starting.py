"""How every command that needs the house begins: settings, logs, house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from broadcaster.logs import configure_logs
from broadcaster.settings import Settings, load_settings

if TYPE_CHECKING:
    from broadcaster.house import House


def load(config: Path | None, *, quiet: bool = False) -> Settings:
    """The settings, with the logs set up as they say; `quiet` shows only what is wrong (for short commands)."""
    settings = load_settings(config)
    configure_logs(
        level="warning" if quiet and settings.log.level == "info" else settings.log.level, form=settings.log.form
    )
    return settings


@asynccontextmanager
async def house(config: Path | None, *, application: str, quiet: bool = True) -> AsyncIterator[House]:
    """The house that the settings describe, open."""
    from broadcaster.cli.telling import outlets, writing
    from broadcaster.house import open_house

    settings = load(config, quiet=quiet)
    write, outlet = writing(settings), outlets()
    try:
        async with open_house(settings, application=application, document=write, outlet=outlet) as opened:
            yield opened
    finally:
        await outlet.close()
