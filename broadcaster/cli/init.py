"""`daohu init`: the settings file, the database, and the first account."""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, note, say
from broadcaster.errors import InputError, UnavailableError
from broadcaster.settings import settings_from

TEMPLATE = Path(__file__).with_name("daohu.toml.template")
FILE = Path("daohu.toml")

Code = Annotated[str, typer.Option("--code", help="县（市、区）的六位行政区划代码，如 330212。")]
Name = Annotated[str, typer.Option("--name", help="县（市、区）的名称，如 鄞州区。")]
Administrator = Annotated[str, typer.Option("--administrator", help="首个管理员的账号名。")]


@command
async def init(
    config: Config = None,
    code: Code = "",
    name: Name = "",
    administrator: Administrator = "admin",
    as_json: AsJson = False,
) -> int:
    """写出 daohu.toml（已有则不动），建立数据库和管理员账号，并显示一次口令。"""
    file = config or FILE
    written = not file.exists()
    if written:
        _write(file, code or _ask("行政区划代码（六位）", "--code"), name or _ask("县（市、区）名称", "--name"))
        note(f"已写出 {file}。")
    else:
        note(f"{file} 已经存在，没有改动。")
    password = await _administrator(file, administrator)
    if as_json:
        answer({"settings": str(file), "written": written, "administrator": administrator, "password": password})
    elif password:
        say(f"管理员 {administrator} 的口令是：{password}")
        say("口令只显示这一次，请妥善保存。下一步：daohu import …，daohu serve。")
    else:
        say("数据库已经就绪；账号早已建立，口令没有改动。")
    return OK


def _ask(what: str, option: str) -> str:
    if not sys.stdin.isatty():
        raise InputError(f"还不知道{what}。", remedy=f"请用 {option} 给出。")
    return str(typer.prompt(what))


def _write(file: Path, code: str, name: str) -> None:
    """Write the file only if settings like these would be accepted, and never over another one."""
    settings_from({"district": {"code": code, "name": name}})
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    content = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(code=code, name=quoted)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(content)
    except OSError as error:
        raise UnavailableError(f"写不了 {file}：{error.strerror}。", remedy="请检查目录和权限。") from error


async def _administrator(file: Path, account: str) -> str:
    """Create the first account; its password, or "" when there are accounts already."""
    from broadcaster.security.accounts import create_administrator

    async with starting.house(file, application="daohu-init") as house:
        async with house.database.connection() as connection:
            if await connection.fetchval("SELECT EXISTS (SELECT FROM account)"):
                return ""
        return await create_administrator(house.database, account, house.settings.district.code, house.clock.now())
