"""`/me`: one's own password, second factor, and the devices that are signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from aiohttp import web

from audiences.region_lookup import names
from broadcaster.errors import LimitedError, NotFoundError, UnauthenticatedError
from broadcaster.security import credentials, directory, enrolment, entrance
from broadcaster.security.accounts import choose_password
from broadcaster.security.credentials import CredentialKind, Proof
from broadcaster.web.authentication import session_rules, source
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import framed, holder
from broadcaster.web.pages.new_password import new_password
from broadcaster.web.pages.qr import picture
from broadcaster.web.pages.signing import slowed, waiting
from broadcaster.web.pages.words import WORDS

routes = web.RouteTableDef()


@routes.get("/me")
async def look(request: web.Request) -> web.Response:
    """What the reader may, and where they are signed in."""
    return await _page(request, await holder(request), Form())


@routes.post("/me/password")
async def change_password(request: web.Request) -> web.Response:
    """Another password, for whoever knows the present one; other devices are signed out."""
    proof, given, form = await holder(request), await fields(request), Form()
    refused = await _unproved(request, proof, given, "current")
    if refused is not None:
        return refused
    password = await new_password(proof.actor.account_id, given, form)
    if not form.good:
        return await _page(request, proof, form, status=422)
    context = request.app[CONTEXT]
    await choose_password(context.database, proof, password, context.clock.now())
    raise web.HTTPSeeOther("/me?said=password_changed")


@routes.get("/me/second-factor")
async def offer_factor(request: web.Request) -> web.Response:
    """What to put into the authenticator app."""
    return await _offer(request, await holder(request), Form())


@routes.post("/me/second-factor")
async def switch_on(request: web.Request) -> web.Response:
    """The first code switches it on; the recovery codes are shown here and never again."""
    context = request.app[CONTEXT]
    proof, given, form = await holder(request), await fields(request), Form()
    account_id, now = proof.actor.account_id, context.clock.now()
    try:
        await _know(request, proof, given.get("current", ""), form, "current")
        if form.good:
            codes = await enrolment.switch_on(context.database, context.factor, account_id, given.get("code", ""), now)
    except UnauthenticatedError:
        form.faults["code"] = WORDS["account_fault"]["code"]
    except LimitedError as error:
        return slowed(await _offer(request, proof, form, status=429, **waiting(request, error)), error)
    if not form.good:
        return await _offer(request, proof, form, status=422)
    await credentials.strengthen(proof.credential_id)
    return framed(request, proof.actor, "console/recovery_codes.html", codes=codes, onward="/me")


@routes.post("/me/second-factor/codes")
async def renew_codes(request: web.Request) -> web.Response:
    """New recovery codes; the old ones are void."""
    context = request.app[CONTEXT]
    proof = await holder(request)
    refused = await _unproved(request, proof, await fields(request), "proof_codes")
    if refused is not None:
        return refused
    codes = await enrolment.renew_recovery(context.database, proof.actor.account_id, context.clock.now())
    return framed(request, proof.actor, "console/recovery_codes.html", codes=codes, onward="/me")


@routes.post("/me/second-factor/off")
async def switch_off(request: web.Request) -> web.Response:
    """No second factor any more, unless the account's roles ask for one."""
    context = request.app[CONTEXT]
    proof = await holder(request)
    refused = await _unproved(request, proof, await fields(request), "proof_off")
    if refused is not None:
        return refused
    await enrolment.leave(context.database, session_rules(request), proof, context.clock.now())
    raise web.HTTPSeeOther("/me?said=factor_off")


@routes.post("/me/sessions/end-others")
async def end_others(request: web.Request) -> NoReturn:
    """Sign out everywhere but here."""
    context = request.app[CONTEXT]
    proof = await holder(request)
    await fields(request)
    await credentials.end_sessions(proof.actor.account_id, context.clock.now(), but=proof.credential_id)
    raise web.HTTPSeeOther("/me?said=sessions_ended")


@routes.post(r"/me/sessions/{session:\d{1,9}}/end")
async def end_one(request: web.Request) -> NoReturn:
    """Sign one device out; `NotFoundError` for a session that is not one's own."""
    context = request.app[CONTEXT]
    proof = await holder(request)
    await fields(request)
    number = int(request.match_info["session"])
    async with context.database.connection() as connection:
        own = await directory.credentials_of(connection, proof.actor.account_id, CredentialKind.SESSION)
    if number not in {one.id for one in own}:
        raise NotFoundError("没有这个登录。", remedy="请从列表中重新选择。")
    await credentials.end(number, context.clock.now())
    raise web.HTTPSeeOther("/me?said=session_ended")


async def _know(request: web.Request, proof: Proof, password: str, form: Form, name: str) -> None:
    """Put a fault at the field `name` unless `password` is the account's; `LimitedError` while guesses wait."""
    context = request.app[CONTEXT]
    account_id, now = proof.actor.account_id, context.clock.now()
    if not await entrance.confirm_password(context.database, account_id, password, source(request), now):
        form.faults[name] = WORDS["account_fault"]["current"]


async def _unproved(request: web.Request, proof: Proof, given: Mapping[str, str], name: str) -> web.Response | None:
    """The page with what is wrong, unless the field `name` holds the account's password."""
    form = Form()
    try:
        await _know(request, proof, given.get(name, ""), form, name)
    except LimitedError as error:
        return slowed(await _page(request, proof, form, status=429, **waiting(request, error)), error)
    return None if form.good else await _page(request, proof, form, status=422)


async def _page(request: web.Request, proof: Proof, form: Form, *, status: int = 200, **values: object) -> web.Response:
    context = request.app[CONTEXT]
    rules, now = session_rules(request), context.clock.now()
    async with context.database.connection() as connection:
        mine = await directory.own(connection, proof.actor.account_id)
        sessions = await directory.credentials_of(connection, proof.actor.account_id, CredentialKind.SESSION)
        left = await enrolment.recovery_left(connection, proof.actor.account_id)
        places = await names(connection, [grant.region for grant in mine.grants])
    shown = {"wait": 0, "again_at": None, **values}
    return framed(
        request,
        proof.actor,
        "console/own.html",
        status=status,
        form=form,
        mine=mine,
        places=places,
        demanded=rules.asks(proof.actor),
        recovery_left=left,
        sessions=[one for one in sessions if one.lives(now) and (one.used_at or one.created_at) + rules.idle > now],
        this=proof.credential_id,
        idle_minutes=int(rules.idle.total_seconds() // 60),
        life_hours=int(rules.life.total_seconds() // 3600),
        **shown,
    )


async def _offer(
    request: web.Request, proof: Proof, form: Form, *, status: int = 200, **values: object
) -> web.Response:
    context = request.app[CONTEXT]
    async with context.database.connection() as connection:
        mine = await directory.own(connection, proof.actor.account_id)
    if mine.factor_on:
        raise web.HTTPSeeOther("/me")
    offer = await enrolment.offer(context.factor, proof.actor.account_id, context.settings.district.name)
    shown = {"wait": 0, "again_at": None, "offer": offer, "picture": picture(offer.uri), **values}
    return framed(request, proof.actor, "console/own_factor.html", status=status, form=form, **shown)
