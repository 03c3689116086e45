"""Every route of the application, and what somebody of another region gets there. A new route needs a line here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.harness.web import OTHER_TOWN, TOWN, form


class Reach(Enum):
    """What an answer may be about."""

    OPEN = "open"  # for everybody, signed in or not; or a door that asks for its own key
    OWN = "own"  # about who is asking, and nobody else
    LIST = "list"  # a list or a form: of the asker's regions only
    THING = "thing"  # a thing that has a region: outside of it, it does not exist


@dataclass(frozen=True, slots=True)
class Line:
    """One route. `query`, `json`, `fields`: what is sent so that the answer is about rights and not about the form."""

    reach: Reach
    query: str = ""
    json: dict[str, Any] | None = None
    fields: dict[str, str] = field(default_factory=dict)


_OPEN, _OWN, _LIST, _THING = (Line(reach) for reach in Reach)
_GRANT = {"role-0": "viewer", "region-0": TOWN}

ROUTES: dict[str, Line] = {
    # machines and the public
    "GET /api/v1/openapi.json": _OPEN,
    "GET /healthz": _OPEN,
    "GET /readyz": _OPEN,
    "GET /metrics": _OPEN,
    "GET /feeds/cap.atom": _OPEN,
    "GET /feeds/cap/{identifier}.xml": _OPEN,
    "GET /callbacks/{gateway}": _OPEN,
    "POST /callbacks/{gateway}": _OPEN,
    "GET /r/{token}": _OPEN,
    "POST /r/{token}": _OPEN,
    "POST /r/{token}/photo": _OPEN,
    "GET /r/{token}/doors": _OPEN,
    "POST /r/{token}/doors": _OPEN,
    "POST /r/{token}/doors/visits/{visit}": _OPEN,
    "GET /r/worker.js": _OPEN,
    "GET /a": _OPEN,
    "GET /a/{identifier}": _OPEN,
    "GET /feeds/area/{identifier}.json": _OPEN,
    "GET /static": _OPEN,
    # the machine interface
    "POST /api/v1/alerts": Line(Reach.THING, json=form()),
    "GET /api/v1/alerts": _LIST,
    "GET /api/v1/alerts/{id}": _THING,
    "PUT /api/v1/alerts/{id}": Line(Reach.THING, query="?version=1", json=form(regions=[OTHER_TOWN])),
    "POST /api/v1/alerts/{id}/submit": _THING,
    "POST /api/v1/alerts/{id}/recall": _THING,
    "POST /api/v1/alerts/{id}/approve": Line(Reach.THING, json={"version": 2}),
    "POST /api/v1/alerts/{id}/reject": Line(Reach.THING, json={"reason": "x"}),
    "POST /api/v1/alerts/{id}/issue": _THING,
    "POST /api/v1/alerts/{id}/end": Line(Reach.THING, json={"reason": "x"}),
    "POST /api/v1/alerts/{id}/update": Line(Reach.THING, json=form(regions=[OTHER_TOWN])),
    "POST /api/v1/alerts/{id}/cancel": _THING,
    "GET /api/v1/alerts/{id}/plan": _THING,
    "GET /api/v1/alerts/{id}/progress": _THING,
    "GET /api/v1/alerts/{id}/events": _THING,
    "GET /api/v1/alerts/{id}/deliveries": _THING,
    "GET /api/v1/alerts/{id}/unreached": _THING,
    "GET /api/v1/alerts/{id}/unreached.csv": _THING,
    "GET /api/v1/alerts/{id}/units": _THING,
    "POST /api/v1/alerts/{id}/units/{unit}/confirm": _THING,
    "GET /api/v1/alerts/{id}/notices": _THING,
    "GET /api/v1/alerts/{id}/audit": _THING,
    "GET /api/v1/notices": _LIST,
    "GET /api/v1/help": _LIST,
    "POST /api/v1/help/{id}/close": _THING,
    "POST /api/v1/replies": Line(
        Reach.THING,
        json={
            "channel": "sms",
            "rehearsal": False,
            "replies": [{"id": "1", "address": "+8613900000000", "text": "1", "at": "2026-08-09T19:00:00Z"}],
        },
    ),
    "POST /api/v1/readings": Line(
        Reach.LIST,
        json={
            "readings": [{"station": "62900001", "element": "water_level", "at": "2026-08-09T19:00:00Z", "value": 9.0}]
        },
    ),
    "GET /api/v1/alerts/{id}/doors": _THING,
    "POST /api/v1/alerts/{id}/doors/{household}": Line(Reach.THING, json={"id": "v-1", "result": "done"}),
    "POST /api/v1/alerts/{id}/visits/{visit}": Line(Reach.THING, json={"id": "v-2", "result": None}),
    "GET /api/v1/alerts/{id}/reports": _THING,
    "GET /api/v1/alerts/{id}/unreached.xlsx": _THING,
    "GET /api/v1/regions/outlines": _LIST,
    "GET /api/v1/audit": _LIST,
    "GET /api/v1/audit.csv": _LIST,
    # signing in
    "GET /": _OPEN,
    "POST /sign-in": _OPEN,
    "POST /sign-out": _OPEN,
    "GET /sign-in/code": _OPEN,
    "POST /sign-in/code": _OPEN,
    "GET /sign-in/second-factor": _OPEN,
    "POST /sign-in/second-factor": _OPEN,
    "GET /sign-in/password": _OPEN,
    "POST /sign-in/password": _OPEN,
    # one's own account
    "GET /me": _OWN,
    "POST /me/password": _OWN,
    "GET /me/second-factor": _OWN,
    "POST /me/second-factor": _OWN,
    "POST /me/second-factor/codes": _OWN,
    "POST /me/second-factor/off": _OWN,
    "POST /me/sessions/end-others": _OWN,
    "POST /me/sessions/{session}/end": _THING,
    # alerts
    "GET /alerts": _LIST,
    "GET /alerts/-/desk": _LIST,
    "GET /alerts/{id}": _THING,
    "GET /alerts/{id}/status": _THING,
    "POST /alerts/{id}/units/{unit}/confirm": _THING,
    "POST /help/{id}/close": _THING,
    "GET /alerts/{id}/audio/{medium}": _THING,
    "GET /alerts/{id}/doors": _THING,
    "POST /alerts/{id}/doors/visits/{visit}": Line(Reach.THING, fields={"result": "withdrawn"}),
    "POST /alerts/{id}/doors/assign": _THING,
    "GET /alerts/{id}/doors/print": _THING,
    "POST /alerts/{id}/edit": _THING,
    "GET /alerts/{id}/live": _THING,
    "GET /alerts/{id}/mail": _THING,
    "GET /alerts/{id}/map.json": _THING,
    "GET /alerts/{id}/photos/{photo}.jpg": _THING,
    "GET /alerts/{id}/report": _THING,
    "GET /alerts/{id}/report.pdf": _THING,
    "GET /alerts/{id}/report.xlsx": _THING,
    "GET /alerts/{id}/errands/{errand}": _THING,
    "POST /alerts/{id}/resend": _THING,
    "GET /alerts/{id}/review": _THING,
    "GET /alerts/{id}/unreached": _THING,
    "POST /alerts/{id}/{deed}": _THING,
    "POST /alerts/{id}/{step}": _THING,
    # writing
    "GET /compose": _LIST,
    "GET /compose/regions": _LIST,
    "GET /compose/{key}": _THING,
    "GET /compose/{key}/mail": _THING,
    "POST /compose/{key}": _THING,
    "GET /compose/{key}/audience": _THING,
    "GET /compose/{key}/audio/{medium}": _THING,
    "GET /compose/{key}/outlook": _THING,
    "POST /compose/{key}/save": _THING,
    # rosters
    "GET /audience": Line(Reach.LIST, query=f"?region={TOWN}"),
    "GET /audience/search": Line(Reach.LIST, query="?q=1001"),
    "GET /audience/posters.pdf": Line(Reach.THING, query=f"?region={TOWN}"),
    "GET /audience/terminals": _LIST,
    "GET /audience/households/{id}": _THING,
    "POST /audience/households/{id}/reveal": _THING,
    "POST /audience/households/{id}/contacts": Line(Reach.THING, fields={"medium": "phone", "address": "13900000001"}),
    "POST /audience/households/{id}/contacts/{contact}": Line(Reach.THING, fields={"do": "off"}),
    "GET /audience/dead": _LIST,
    "GET /audience/dead.csv": _LIST,
    "POST /audience/dead/off": _LIST,
    "GET /audience/imports": _LIST,
    "POST /audience/imports": _LIST,
    "GET /audience/imports/{id}": _THING,
    "POST /audience/imports/{id}/confirm": _THING,
    "POST /audience/imports/{id}/discard": _THING,
    "GET /audience/imports/{id}/problems.csv": _THING,
    "GET /audience/imports/{id}/progress": _THING,
    "GET /duties": Line(Reach.LIST, query=f"?town={TOWN}"),
    "GET /duties/gaps": _LIST,
    "GET /duties/arrange": Line(Reach.LIST, query=f"?region={TOWN}001"),
    "POST /duties/arrange": _LIST,
    "POST /duties/reveal": _LIST,
    "POST /duties/{id}/end": _THING,
    # stations and rules
    "GET /stations": _LIST,
    "GET /stations/{id}": _THING,
    "GET /rules": _LIST,
    "POST /rules": Line(Reach.LIST, fields={"name": "of-a-neighbour"}),
    "GET /rules/{rule}": _THING,
    "POST /rules/{rule}": _THING,
    "POST /rules/{rule}/mode": Line(Reach.THING, fields={"mode": "shadow", "version": "1"}),
    "GET /rules/{rule}/replay": _THING,
    "GET /rules/{rule}/versions/{version}": _THING,
    "POST /rules/events/{event}/veto": _THING,
    "POST /rules/events/{event}/seen": _THING,
    # what belongs to the whole district
    "GET /gateways": _LIST,
    "GET /gateways/-/status": _LIST,
    "GET /gateways/{name}": _THING,
    "POST /gateways/{name}/pause": _THING,
    "POST /gateways/{name}/resume": _THING,
    "GET /gateways/{name}/status": _THING,
    "POST /gateways/{name}/trial": _THING,
    "GET /templates": _LIST,
    "GET /templates/{folder}/{file}": _THING,
    "POST /templates/{folder}/{file}": _THING,
    "POST /templates/{folder}/{file}/preview": _THING,
    "POST /templates/{folder}/{file}/restore": _THING,
    "GET /templates/{folder}/{file}/versions/{version}": _THING,
    "GET /policies": _LIST,
    "GET /policies/{colour}": _THING,
    "POST /policies/{colour}": _THING,
    "POST /policies/{colour}/restore": _THING,
    "POST /policies/{colour}/timeline": _THING,
    "GET /policies/{colour}/versions/{version}": _THING,
    # what other machines tell
    "POST /api/v1/incoming": Line(Reach.THING, query="?source=weather", json={"document": "<alert/>"}),
    "GET /api/v1/incoming": _LIST,
    "GET /api/v1/incoming/{id}": _THING,
    "GET /incoming": _LIST,
    "GET /incoming/{id}": _THING,
    "POST /incoming/{id}/draft": _THING,
    "POST /incoming/{id}/aside": _THING,
    "GET /sources": _LIST,
    "GET /sources/-/status": _LIST,
    "POST /sources/{name}/visit": _THING,
    "GET /subscribers": _LIST,
    "POST /subscribers": Line(Reach.LIST, fields={"name": "intruder", "url": "https://example.cn/"}),
    "POST /subscribers/{id}/secret": _THING,
    "POST /subscribers/{id}/password": _THING,
    "POST /subscribers/{id}/off": _THING,
    "POST /subscribers/{id}/on": _THING,
    "POST /subscribers/webhooks/{id}/resend": _THING,
    # accounts and the audit
    "GET /accounts": _LIST,
    "GET /accounts/regions": Line(Reach.LIST, query=f"?q={TOWN}"),
    "GET /accounts/new": _LIST,
    "POST /accounts/new": Line(Reach.LIST, fields={"name": "intruder", **_GRANT}),
    "GET /accounts/{id}": _THING,
    "POST /accounts/{id}/grants": Line(Reach.THING, fields=_GRANT),
    "POST /accounts/{id}/off": _THING,
    "POST /accounts/{id}/on": _THING,
    "POST /accounts/{id}/password": _THING,
    "POST /accounts/{id}/second-factor": _THING,
    "GET /accounts/{id}/tokens": _THING,
    "POST /accounts/{id}/tokens": Line(Reach.THING, fields={"label": "x", "days": "30"}),
    "POST /accounts/{id}/tokens/{token}/end": _THING,
    "GET /audit": _LIST,
    "POST /audit/verify": Line(Reach.LIST),
}
