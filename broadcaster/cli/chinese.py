"""Help in Chinese: the words that typer itself adds around ours."""

from __future__ import annotations

from typing import Any

import typer
import typer.rich_utils
from typer.core import TyperCommand, TyperGroup

HELP = "显示帮助后退出。"

typer.rich_utils.ARGUMENTS_PANEL_TITLE = "参数"
typer.rich_utils.OPTIONS_PANEL_TITLE = "选项"
typer.rich_utils.COMMANDS_PANEL_TITLE = "命令"
typer.rich_utils.ERRORS_PANEL_TITLE = "用法有误"


class ChineseCommand(TyperCommand):
    """A command whose --help is explained in Chinese."""

    def get_help_option(self, ctx: Any) -> Any:
        return _explained(super().get_help_option(ctx))


class ChineseGroup(TyperGroup):
    """A group of commands whose --help is explained in Chinese."""

    def get_help_option(self, ctx: Any) -> Any:
        return _explained(super().get_help_option(ctx))


def group(help_: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(help=help_, cls=ChineseGroup, no_args_is_help=True, add_completion=False)


def _explained(option: Any) -> Any:
    if option is not None:
        option.help = HELP
    return option
