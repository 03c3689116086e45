"""Who is on duty: now, in a week, and where nobody is; a substitute entered with two clicks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NoReturn

from aiohttp import web

from audiences import browse, masking, watch
from audiences.duties import fits
from audiences.records import Role
from broadcaster.clock import BEIJING
from broadcaster.errors import InputError, NotFoundError, RuleError
from broadcaster.rosters import shifts
from broadcaster.rosters.shifts import Duty, Shift
from broadcaster.security.permissions import Action, Actor, may, require_somewhere, scopes
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.audience import known_path, region_asked
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader

GAPS = 20  # on the page of a region
GAPS_PAGE = 100
_FIRST_WEEK, _LAST_WEEK = date(2000, 1, 3), date(2100, 1, 1)
SECTION = Section("/duties", "值守", Action.SEE_AUDIENCE)
routes = web.RouteTableDef()


@routes.get("/duties")
async def duties(request: web.Request) -> web.Response:
    """A region and those just below it: on duty now, the week, the gaps."""
    return await _roster(request, await reader(request), shown=False)


@routes.post("/duties/reveal")
async def reveal(request: web.Request) -> web.Response:
    """The same with telephone numbers; who looked, where and when goes into the audit trail first."""
    actor = await reader(request)
    await fields(request)
    context = request.app[CONTEXT]
    await shifts.reveal(context.database, actor, region_asked(request, actor), context.clock.now())
    return await _roster(request, actor, shown=True)


@routes.get("/duties/gaps")
async def gaps(request: web.Request) -> web.Response:
    """Everywhere in the reader's regions where nobody is on duty now or within a week."""
    actor = await reader(request)
    within = require_somewhere(actor, Action.SEE_AUDIENCE)
    number = request.query.get("page", "1")
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= 1000):
        raise InputError("页码不对。", remedy="请从第一页开始。")
    context, number_ = request.app[CONTEXT], int(number[:4])
    now = context.clock.now()
    async with context.database.connection() as connection:
        found, total = await watch.gaps(connection, within, now, most=GAPS_PAGE, skip=(number_ - 1) * GAPS_PAGE)
    return framed(
        request,
        actor,
        "console/duties/gaps.html",
        gaps=found,
        total=total,
        now=now,
        manages=scopes(actor, Action.MANAGE_DUTIES),
        next=number_ + 1 if number_ * GAPS_PAGE < total else 0,
    )


@routes.get("/duties/arrange")
async def arrange_form(request: web.Request) -> web.Response:
    """Who, from when, until when: filled in so that one more click does it."""
    actor = await reader(request)
    return await _form(request, actor, dict(request.query), Form())


@routes.post("/duties/arrange")
async def arrange(request: web.Request) -> web.Response:
    """Enter the shift, and back to its region."""
    actor = await reader(request)
    given = await fields(request)
    context = request.app[CONTEXT]
    region, role, held = await _post(request, actor, given)
    form = Form(given)
    begins, ends = _moment(form, "begins"), _moment(form, "ends")
    person = given.get("person", "")
    if not (person.isascii() and person.isdigit() and len(person) <= 18):
        form.faults["person"] = "请从名单中选择一个人。"
    if form.good and begins is not None and ends is not None:
        shift = Shift(int(person), region, role, begins, ends, held.id if held else None)
        try:
            await shifts.arrange(context.database, actor, shift, context.clock.now())
        except (InputError, RuleError) as error:
            form.faults["ends" if isinstance(error, InputError) else "person"] = error.sentence
        else:
            raise web.HTTPSeeOther(f"/duties?region={region}&said=shift_arranged")
    return await _form(request, actor, given, form)


@routes.post(r"/duties/{id:\d{1,18}}/end")
async def end(request: web.Request) -> NoReturn:
    """Take a shift back."""
    actor = await reader(request)
    await fields(request)
    context = request.app[CONTEXT]
    ended = await shifts.end(context.database, actor, int(request.match_info["id"]), context.clock.now())
    raise web.HTTPSeeOther(f"/duties?region={ended.region_code}&said=shift_ended")


async def _roster(request: web.Request, actor: Actor, *, shown: bool) -> web.Response:
    context = request.app[CONTEXT]
    code, now = region_asked(request, actor), context.clock.now()
    begins = _week(request, now)
    allowed = scopes(actor, Action.SEE_AUDIENCE)
    async with context.database.connection() as connection:
        path = await known_path(connection, code)
        current = await watch.week(connection, code, begins)
        gaps_found, total = await watch.gaps(connection, [code] if code else allowed, now, most=GAPS)
        people = sorted({one.person_id for line in current for one in _on_now(line, now)})
        found = await watch.numbers(connection, people)
        below = await browse.regions_below(connection, code)
    named = may(actor, Action.SEE_HOUSEHOLDS, [code]) or may(actor, Action.MANAGE_DUTIES, [code])
    numbers = {
        who: [one if shown else masking.address("phone", one) for one in written] for who, written in found.items()
    }
    return framed(
        request,
        actor,
        "console/duties/roster.html",
        code=code,
        name=path[-1][1] if path else "",
        steps=[step for step in path if may(actor, Action.SEE_AUDIENCE, [step[0]])],
        below=below,
        scopes=allowed,
        lines=current,
        on_now=lambda line: _on_now(line, now),
        numbers=numbers,
        begins=begins.astimezone(BEIJING),
        earlier=(begins - watch.WEEK).astimezone(BEIJING).date(),
        later=(begins + watch.WEEK).astimezone(BEIJING).date(),
        beijing=BEIJING,
        now=now,
        gaps=gaps_found,
        gaps_total=total,
        person=(lambda text: text) if named else masking.name,
        shown=shown,
        may_reveal=may(actor, Action.SEE_HOUSEHOLDS, [code]),
        manages=scopes(actor, Action.MANAGE_DUTIES),
    )


async def _form(request: web.Request, actor: Actor, given: dict[str, str], form: Form) -> web.Response:
    context = request.app[CONTEXT]
    region, role, held = await _post(request, actor, given)
    now = context.clock.now()
    async with context.database.connection() as connection:
        path = await known_path(connection, region)
        candidates = await shifts.candidates(connection, region, role, now)
    start = now.astimezone(BEIJING).replace(second=0, microsecond=0)
    begins = _text(given.get("begins"), start)
    named = may(actor, Action.SEE_HOUSEHOLDS, [region]) or may(actor, Action.MANAGE_DUTIES, [region])
    values = {"begins": begins, "ends": _text(given.get("ends"), start + timedelta(days=1)), **form.values}
    return framed(
        request,
        actor,
        "console/duties/arrange.html",
        status=200 if form.good else 422,
        form=Form(values, form.faults),
        region=region,
        name=path[-1][1],
        role=role.value,
        held=held,
        candidates=candidates,
        person=(lambda text: text) if named else masking.name,
    )


async def _post(request: web.Request, actor: Actor, given: dict[str, str]) -> tuple[str, Role, Duty | None]:
    """The region and role that are asked for, by themselves or by the duty of who is away."""
    context = request.app[CONTEXT]
    number = given.get("instead_of", "")
    async with context.database.connection() as connection:
        held = None
        if number:
            if not (number.isascii() and number.isdigit() and len(number) <= 18):
                raise NotFoundError("没有这个值守。", remedy="请从值守表中重新选择。")
            held = await shifts.duty(connection, actor, int(number))
        region, written = (held.region_code, held.role) if held else (given.get("region", ""), given.get("role", ""))
        allowed = require_somewhere(actor, Action.MANAGE_DUTIES)
        if not region or not region.startswith(allowed) or not await browse.path(connection, region):
            raise NotFoundError("没有这个地区。", remedy="请从值守表中重新选择。")
    if written not in set(Role) or not fits(Role(written), region):
        raise NotFoundError("这一级地区没有这个岗位。", remedy="请从值守表中重新选择。")
    return region, Role(written), held


def _on_now(line: watch.Line, now: datetime) -> list[watch.Stint]:
    there = [*line.whole, *(one for day in line.days for one in day.stints)]
    return list({one.id: one for one in there if one.touches(now, now + timedelta(microseconds=1))}.values())


def _week(request: web.Request, now: datetime) -> datetime:
    """The start of the day in `?week=`, by default today, in Beijing."""
    written = request.query.get("week", "")
    day = now.astimezone(BEIJING).date()
    if written:
        try:
            day = date.fromisoformat(written)
        except ValueError as error:
            raise InputError("日期不对。", remedy="请写成 2026-05-01 的样子。") from error
        if not _FIRST_WEEK <= day <= _LAST_WEEK:
            raise InputError("日期不对。", remedy="请选择近期的日期。")
    return datetime.combine(day, time(), BEIJING)


def _text(given: str | None, otherwise: datetime) -> str:
    return given if given else otherwise.strftime("%Y-%m-%dT%H:%M")


def _moment(form: Form, name: str) -> datetime | None:
    """What a field of date and time says, in Beijing time; what is wrong with it goes to the form."""
    try:
        written = datetime.fromisoformat(form.values.get(name, ""))
    except ValueError:
        form.faults[name] = "请填写日期和时间。"
        return None
    if not _FIRST_WEEK.year <= written.year <= _LAST_WEEK.year:
        form.faults[name] = "请填写近期的日期。"
        return None
    return written if written.tzinfo else written.replace(tzinfo=BEIJING)
