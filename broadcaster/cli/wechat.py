"""`daohu wechat`: the QR codes by which residents follow the official account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, say
from broadcaster.errors import InputError

app = group("公众号的村级关注二维码。")

Region = Annotated[str, typer.Argument(metavar="REGION", help="县、镇街或村社的区划代码；县和镇街的，每个村一页。")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE.pdf", help="写到哪里。")]
Gateway = Annotated[str, typer.Option("--gateway", metavar="NAME", help="哪个公众号网关；只有一个时不必写。")]


@app.callback()
def wechat() -> None:
    """Keeps `qr` a command of its own while it is the only one."""


@app.command("qr", cls=ChineseCommand)
@command
async def qr(
    region: Region,
    out: Out = Path("二维码.pdf"),
    gateway: Gateway = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """生成张贴用的 PDF：村民扫码关注公众号，验证手机后预警就会发到微信。已生成过的二维码不会变。"""
    from broadcaster.web.documents import posters

    async with starting.house(config, application="daohu-wechat") as house:
        found = await house.inviting.invitations(region, gateway)
        content = posters.write(found, house.office.issuer.name)
    try:
        await asyncio.to_thread(out.write_bytes, content)
    except OSError as error:
        raise InputError(f"写不了 {out}：{error.strerror}。", remedy="请用 --out 指定别的位置。") from error
    if as_json:
        answer({"file": str(out), "codes": {one.region: one.content for one in found}})
    else:
        say(f"{len(found)} 个村的二维码已写入 {out}。")
