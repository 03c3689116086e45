"""Between the right password and the session: a code, setting up the second factor, a password of one's own."""

from __future__ import annotations

import structlog
from aiohttp import web

from broadcaster.errors import LimitedError, UnauthenticatedError
from broadcaster.security import enrolment, entrance
from broadcaster.security.accounts import choose_password
from broadcaster.security.credentials import Proof
from broadcaster.security.entrance import SignedIn, Step
from broadcaster.web.authentication import pending, session_rules
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.forms import Form, fields, token
from broadcaster.web.pages.new_password import new_password
from broadcaster.web.pages.qr import picture
from broadcaster.web.pages.rendering import page
from broadcaster.web.pages.signing import PLACES, keep, slowed, waiting
from broadcaster.web.pages.words import WORDS

_LOG = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/sign-in/code")
async def ask_code(request: web.Request) -> web.Response:
    """Asks for the code that the app shows."""
    await _holder(request, Step.CODE)
    return _page(request, "sign_in_code.html", Form())


@routes.post("/sign-in/code")
async def take_code(request: web.Request) -> web.Response:
    """A code for the session; each is good once."""
    context = request.app[CONTEXT]
    given = await fields(request)
    proof = await _holder(request, Step.CODE)
    rules, now = session_rules(request), context.clock.now()
    try:
        signed = await entrance.give_code(context.database, context.factor, proof, given.get("code", ""), now, rules)
    except UnauthenticatedError as error:
        _LOG.info("sign_in.refused", why=error.code)
        return _page(request, "sign_in_code.html", _wrong_code(), status=401)
    except LimitedError as error:
        _LOG.info("sign_in.refused", why=error.code)
        shown = _page(request, "sign_in_code.html", Form(), status=429, **waiting(request, error))
        return slowed(shown, error)
    raise _onward(request, signed)


@routes.get("/sign-in/second-factor")
async def offer_factor(request: web.Request) -> web.Response:
    """The secret for the app, as a picture and in words."""
    return await _offer(request, await _holder(request, Step.ENROL), Form())


@routes.post("/sign-in/second-factor")
async def enrol(request: web.Request) -> web.Response:
    """The first code; the recovery codes are shown here and never again."""
    context = request.app[CONTEXT]
    given = await fields(request)
    proof = await _holder(request, Step.ENROL)
    now = context.clock.now()
    try:
        codes = await enrolment.switch_on(
            context.database, context.factor, proof.actor.account_id, given.get("code", ""), now
        )
    except UnauthenticatedError:
        return await _offer(request, proof, _wrong_code(), status=422)
    except LimitedError as error:
        return slowed(await _offer(request, proof, Form(), status=429, **waiting(request, error)), error)
    signed = await entrance.go_on(context.database, proof, now, session_rules(request), strong=True)
    response = page(request, "console/recovery_codes.html", codes=codes, onward=PLACES[signed.step])
    keep(request, response, signed)
    return response


@routes.get("/sign-in/password")
async def ask_password(request: web.Request) -> web.Response:
    """Somebody else knows the password: the owner chooses another."""
    await _holder(request, Step.PASSWORD)
    return _page(request, "sign_in_password.html", Form())


@routes.post("/sign-in/password")
async def take_password(request: web.Request) -> web.Response:
    """A password of one's own, then the session."""
    context = request.app[CONTEXT]
    given = await fields(request)
    proof = await _holder(request, Step.PASSWORD)
    form = Form()
    password = await new_password(proof.actor.account_id, given, form)
    if not form.good:
        return _page(request, "sign_in_password.html", form, status=422)
    now = context.clock.now()
    await choose_password(context.database, proof, password, now)
    raise _onward(request, await entrance.go_on(context.database, proof, now, session_rules(request)))


async def _holder(request: web.Request, step: Step) -> Proof:
    """Who is half-way in and owes just this; everybody else is sent to the front door, which knows the way."""
    proof = await pending(request)
    if proof is None or await entrance.owed(proof, session_rules(request)) is not step:
        raise web.HTTPSeeOther("/")
    return proof


async def _offer(
    request: web.Request, proof: Proof, form: Form, *, status: int = 200, **values: object
) -> web.Response:
    context = request.app[CONTEXT]
    offer = await enrolment.offer(context.factor, proof.actor.account_id, context.settings.district.name)
    shown = {"offer": offer, "picture": picture(offer.uri), "onward": "", **values}
    return _page(request, "sign_in_factor.html", form, status=status, **shown)


def _page(request: web.Request, template: str, form: Form, *, status: int = 200, **values: object) -> web.Response:
    shown = {"wait": 0, "again_at": None, **values}
    return page(request, f"console/{template}", status=status, form=form, form_token=token(request), **shown)


def _wrong_code() -> Form:
    return Form(faults={"code": WORDS["account_fault"]["code"]})


def _onward(request: web.Request, signed: SignedIn) -> web.HTTPSeeOther:
    response = web.HTTPSeeOther(PLACES[signed.step])
    keep(request, response, signed)
    return response
