"""`daohu issue`: author, approve and issue an alert from a file, JSON or CAP 1.2 XML."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, complain, note, say
from broadcaster.cli.running import run_until_stopped
from broadcaster.cli.status import CHANNELS
from broadcaster.errors import InputError
from broadcaster.ports import Medium

if TYPE_CHECKING:
    from broadcaster.alerts.alert import Alert
    from broadcaster.alerts.records import AlertRecord
    from broadcaster.house import House

LARGEST = 4 * 1024 * 1024
"""Bytes; a CAP message with a picture in it has 1 or 2."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="JSON，或 CAP 1.2 XML。")]
AsExercise = Annotated[bool, typer.Option("--exercise", help="当作演练，从现在起发布：时间整体平移，只走演练网关。")]
DraftOnly = Annotated[bool, typer.Option("--draft", help="只存为草稿，由带班领导在网页上审批。")]
Send = Annotated[bool, typer.Option("--send", help="发布后由本进程发送，直到发完。没有运行 serve 或 worker 时使用。")]


@command
async def issue(
    file: File,
    *,
    config: Config = None,
    as_exercise: AsExercise = False,
    draft_only: DraftOnly = False,
    send: Send = False,
    as_json: AsJson = False,
) -> int:
    """从文件发布一条预警、动员令或解除。

    操作系统账号即是授权：命令行代替值班员撰写、代替带班领导批准，并记入审计。
    """
    content = _content(file)
    from broadcaster.doorbell import WORK

    async with starting.house(config, application="daohu-issue") as house:
        alert = await _alert(house, file, content, as_exercise=as_exercise)
        async with house.database.transaction():  # a file is issued, or nothing is kept of it
            record = await _author(house, alert) if draft_only else await _issue(house, alert)
            await _remember(house, record)
        await house.doorbell.ring(WORK)
        if send and not draft_only:
            await _send(house, record.id)
        doubts = [] if draft_only else await _doubts(house, record)
        for doubt in doubts:
            complain(doubt)
        if as_json:
            answer({"id": record.id, "identifier": record.identifier, "state": str(record.state), "warnings": doubts})
        else:
            done = "已存为草稿" if draft_only else "已发布"
            say(f"{done}：{record.id}  {record.identifier}  {record.headline}")
            if not draft_only:
                note(f"查看进度：daohu status {record.id}")
    return OK


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file} 太大。", remedy=f"最多 {LARGEST // 1024 // 1024} MB。")
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"读不了 {file}：{error.strerror}。", remedy="请检查路径和权限。") from error


async def _alert(house: House, file: Path, content: bytes, *, as_exercise: bool) -> Alert:
    from adapters import cap
    from broadcaster.alerts import form, redating
    from broadcaster.alerts.authoring import new_identifier

    now = house.clock.now()
    identifier = new_identifier(house.settings.district.code, now)
    if file.suffix.lower() in {".xml", ".cap"} or content.lstrip()[:1] == b"<":
        alert = cap.read(content)
        if not await _known(alert):
            alert = redating.as_first_issue(alert)
    else:
        alert = form.decode(content, now=now, sender=_sender(house), identifier=identifier)
    return redating.as_exercise(alert, now, identifier) if as_exercise else alert


async def _known(alert: Alert) -> bool:
    """Whether it refers to an alert that was issued here."""
    from broadcaster.alerts.records import AlertRecord

    names = [reference.identifier for reference in alert.references]
    return bool(names) and await AlertRecord.filter(identifier__in=names).exists()


def _sender(house: House) -> str:
    return f"{house.settings.district.code}@daohu"


async def _author(house: House, alert: Alert) -> AlertRecord:
    from broadcaster.alerts import authoring
    from broadcaster.alerts.actor import Actor, Role

    return await authoring.create(house.database, alert, Actor("命令行", frozenset({Role.AUTHOR})), house.clock.now())


async def _issue(house: House, alert: Alert) -> AlertRecord:
    """Through every step of an alert's life; a file that was sent before goes on from where it stands."""
    from broadcaster.alerts import authoring
    from broadcaster.alerts.actor import Actor, Role
    from broadcaster.alerts.state import State

    rules = house.office.rules
    author = Actor("命令行", frozenset({Role.AUTHOR}))
    approver = Actor("命令行（批准）", frozenset({Role.APPROVER}))
    record = await _author(house, alert)
    if record.state == State.DRAFT:
        record = await authoring.submit(house.database, record.id, author, house.clock.now(), rules=rules)
    if record.state == State.IN_REVIEW:
        record = await authoring.approve(
            house.database, record.id, approver, house.clock.now(), version=record.version, rules=rules
        )
    issued = await house.issue(record.id, approver)
    await house.announce(issued.id)
    return issued


async def _remember(house: House, record: AlertRecord) -> None:
    """Leave a trace of what was done from the command line, in the same transaction."""
    from broadcaster.alerts.state import State
    from broadcaster.security import audit
    from broadcaster.security.permissions import SYSTEM, Action

    action = Action.CREATE if record.state == State.DRAFT else Action.ISSUE
    async with house.database.transaction() as connection:
        await audit.append(
            connection,
            SYSTEM.account_id,
            action.value,
            house.clock.now(),
            alert_id=record.id,
            detail={"by": "command-line", "version": record.version},
        )


async def _doubts(house: House, record: AlertRecord) -> list[str]:
    """Why an alert that was issued as it stands may still reach nobody."""
    from audiences import selection

    plan = await house.plans.load(record.id)
    async with house.database.connection() as connection:
        homes = sum(count for _, count in await selection.villages(connection, plan.selection))
    doubts = []
    if not homes:
        doubts.append("注意：名册中没有一户在这条预警的区域内。请核对区域，或先导入名册。")
    steps = [medium for step in plan.policy.households for medium in step.channels]
    asked = dict.fromkeys([*steps, *([Medium.LOUDSPEAKER] if plan.policy.loudspeakers else [])])
    served = {gateway.channel for gateway in house.settings.gateways if gateway.rehearsal == plan.rehearsal}
    missing = [CHANNELS[medium.value] for medium in asked if medium not in served]
    if missing:
        use = "演练" if plan.rehearsal else "真实发布"
        doubts.append(f"注意：没有可用于{use}的网关：{'、'.join(missing)}。加入网关之前，这些渠道发不出去。")
    return doubts


async def _send(house: House, alert_id: int) -> None:
    from broadcaster.progress import progress

    async def sent() -> None:
        while True:
            async with house.database.connection() as connection:
                now = await progress(connection, alert_id)
            if now.planned and not now.deliveries["queued"] and not now.deliveries["unknown"]:
                return
            await asyncio.sleep(0.5)

    note("正在发送…")
    working = asyncio.create_task(run_until_stopped([house.work(), sent()]))
    await working
