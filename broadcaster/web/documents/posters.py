"""The posters with villages' QR codes, to be printed and put up: PDF, one page of A4 for each village."""

from __future__ import annotations

import io
from collections.abc import Sequence

import segno
from reportlab.lib.colors import black
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from broadcaster.rosters.invitations import Invitation

FONT = "STSong-Light"
_CODE = 120 * mm
_QUIET = 4
"""Empty modules around a code (ISO/IEC 18004)."""

_STEPS = (
    "1. 用微信扫描上面的二维码，点“关注”。",
    "2. 按提示发送您家登记的手机号码。",
    "3. 把手机收到的 6 位验证码发回来，就办好了。",
)


def write(invitations: Sequence[Invitation], office: str) -> bytes:
    """The file. `office` stands at the foot of each page."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, pageCompression=1)
    canvas.setTitle("预警二维码")
    for invitation in invitations:
        _page(canvas, invitation, office)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _page(canvas: Canvas, invitation: Invitation, office: str) -> None:
    width, height = A4
    _centred(canvas, invitation.town, 18, height - 32 * mm)
    _centred(canvas, invitation.name, 40, height - 52 * mm)
    _centred(canvas, "灾害预警 发到您的微信", 28, height - 72 * mm)
    _code(canvas, invitation.content, (width - _CODE) / 2, height - 82 * mm - _CODE)
    canvas.setFont(FONT, 17)
    for place, step in enumerate(_STEPS):
        canvas.drawString(38 * mm, 72 * mm - place * 11 * mm, step)
    _centred(canvas, f"{office}  ·  不收费，不要把验证码告诉别人  ·  {invitation.region}", 11, 20 * mm)


def _centred(canvas: Canvas, text: str, size: float, y: float) -> None:
    """As large as `size` points, smaller where it would not fit."""
    room = A4[0] - 30 * mm
    wide = pdfmetrics.stringWidth(text, FONT, size)
    canvas.setFont(FONT, size if wide <= room else size * room / wide)
    canvas.drawCentredString(A4[0] / 2, y, text)


def _code(canvas: Canvas, content: str, left: float, bottom: float) -> None:
    """A code that a telephone reads from across a room, with a quarter of it scratched away."""
    rows = tuple(segno.make(content, error="q", micro=False).matrix)
    module = _CODE / (len(rows) + 2 * _QUIET)
    canvas.setFillColor(black)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                canvas.rect(
                    left + (x + _QUIET) * module,
                    bottom + _CODE - (y + _QUIET + 1) * module,
                    module,
                    module,
                    stroke=0,
                    fill=1,
                )
