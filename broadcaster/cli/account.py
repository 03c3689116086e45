"""`daohu account`: who may sign in, as what and where, and the tokens of machines.

The account of the operating system is the authority here; everything is written into the audit trail.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, note, say
from broadcaster.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from broadcaster.house import House
    from broadcaster.security.permissions import Grant
    from broadcaster.security.records import AccountRecord

app = group("账户、角色和令牌。")

ROLES = {
    "viewer": "查看",
    "author": "值班员（撰写、发布）",
    "approver": "带班领导（批准）",
    "administrator": "管理员",
    "village_head": "村书记",
    "grid_member": "网格员",
}

Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="账户名。")]
Roles: TypeAlias = Annotated[
    list[str], typer.Option("--role", metavar="ROLE", help=f"角色，可写多次：{'、'.join(ROLES)}。", show_default=False)
]
Regions: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="CODE", help="辖区代码，可写多次；默认全县。", show_default=False),
]


@app.command("list", cls=ChineseCommand)
@command
async def list_(config: Config = None, as_json: AsJson = False) -> None:
    """列出账户及其角色。"""
    from broadcaster.security.records import AccountRecord, GrantRecord

    async with starting.house(config, application="daohu-account"):
        accounts = await AccountRecord.all().order_by("id")
        grants = await GrantRecord.all().order_by("id").values("account_id", "role", "region_code")
    found: list[dict[str, Any]] = [
        {
            "id": one.id,
            "name": one.name,
            "active": one.active,
            "second_factor": one.factor_on,
            "grants": [
                {"role": grant["role"], "region": grant["region_code"]}
                for grant in grants
                if grant["account_id"] == one.id
            ],
        }
        for one in accounts
    ]
    if as_json:
        answer({"accounts": found})
        return
    for row in found:
        held = "，".join(f"{ROLES.get(grant['role'], grant['role'])} {grant['region']}" for grant in row["grants"])
        say(f"{row['id']}  {row['name']}  {'' if row['active'] else '已停用  '}{held or '没有角色'}")


@app.command("add", cls=ChineseCommand)
@command
async def add(name: Name, role: Roles, region: Regions = None, config: Config = None, as_json: AsJson = False) -> None:
    """新建账户，并显示一次口令。"""
    from broadcaster.security import accounts, passwords
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        password = passwords.invent()
        await accounts.create_account(
            house.database, SYSTEM, name, password, grants=_grants(house, role, region), now=house.clock.now()
        )
    _tell_password(name, password, as_json=as_json)


@app.command("grant", cls=ChineseCommand)
@command
async def grant(
    name: Name, role: Roles, region: Regions = None, config: Config = None, as_json: AsJson = False
) -> None:
    """以给出的角色和辖区取代账户原有的。"""
    from broadcaster.security import accounts
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        account = await _found(name)
        given = _grants(house, role, region)
        await accounts.set_grants(house.database, SYSTEM, account.id, given, house.clock.now())
    if as_json:
        answer({"account": name, "grants": [{"role": one.role.value, "region": one.region} for one in given]})
    else:
        say(f"{name} 现在是：{'，'.join(f'{ROLES[one.role.value]} {one.region}' for one in given)}")


@app.command("password", cls=ChineseCommand)
@command
async def password(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """换一个新口令，并显示一次；该账户的会话和令牌全部失效。"""
    from broadcaster.security import accounts, passwords
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        account = await _found(name)
        made = passwords.invent()
        await accounts.set_password(house.database, SYSTEM, account.id, made, house.clock.now())
    _tell_password(name, made, as_json=as_json)


@app.command("off", cls=ChineseCommand)
@command
async def off(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """停用账户；它的会话和令牌全部失效。"""
    from broadcaster.security import accounts
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        account = await _found(name)
        await accounts.switch_off(house.database, SYSTEM, account.id, house.clock.now())
    if as_json:
        answer({"account": name, "active": False})
    else:
        say(f"{name} 已停用。")


@app.command("on", cls=ChineseCommand)
@command
async def on(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """恢复停用的账户；口令和角色照旧，令牌要重新发放。"""
    from broadcaster.security import accounts
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        account = await _found(name)
        await accounts.switch_on(house.database, SYSTEM, account.id, house.clock.now())
    if as_json:
        answer({"account": name, "active": True})
    else:
        say(f"{name} 已恢复。")


@app.command("factor", cls=ChineseCommand)
@command
async def factor(
    name: Name,
    off: Annotated[bool, typer.Option("--off", help="取消：手机和恢复码都丢了时用；会话全部失效。")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """账户有没有启用两步验证；--off 取消它。"""
    from broadcaster.security import accounts
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        account = await _found(name)
        if off:
            await accounts.reset_factor(house.database, SYSTEM, account.id, house.clock.now())
    held = account.factor_on and not off
    if as_json:
        answer({"account": name, "second_factor": held})
    else:
        say(f"{name} {'启用了' if held else '没有'}两步验证。")


@app.command("token", cls=ChineseCommand)
@command
async def token(
    name: Name,
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="由哪台设备或哪个系统使用。")],
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="有效天数。")] = 365,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """为程序发放接口令牌，并显示一次。它能做的与账户相同。"""
    from broadcaster.security import accounts
    from broadcaster.security.permissions import SYSTEM

    async with starting.house(config, application="daohu-account") as house:
        account = await _found(name)
        made = await accounts.give_token(
            house.database, SYSTEM, account.id, label, house.clock.now(), life=timedelta(days=days)
        )
    if as_json:
        answer({"account": name, "token": made, "days": days})
        return
    say(made)
    note("令牌只显示这一次。用法：Authorization: Bearer 令牌")


async def _found(name: str) -> AccountRecord:
    from broadcaster.security.records import AccountRecord

    account = await AccountRecord.get_or_none(name=name)
    if account is None:
        raise NotFoundError(f"没有名为 {name} 的账户。", remedy="请用 daohu account list 查看。")
    return account


def _grants(house: House, roles: list[str], regions: list[str] | None) -> list[Grant]:
    from broadcaster.security.permissions import Grant, Role

    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise InputError(f"没有这个角色：{'、'.join(unknown)}", remedy=f"可用的有：{'、'.join(ROLES)}。")
    return [Grant(Role(role), region) for role in roles for region in regions or [house.settings.district.code]]


def _tell_password(name: str, made: str, *, as_json: bool) -> None:
    if as_json:
        answer({"account": name, "password": made})
        return
    say(f"{name} 的口令是：{made}")
    note("口令只显示这一次，请妥善保存。")
