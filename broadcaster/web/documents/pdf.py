"""The report as PDF (reportlab): a Chinese font that every reader has (STSong-Light, not embedded), and bookmarks."""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.charts.lineplots import LinePlot
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, LongTable, PageTemplate, Paragraph, Spacer, TableStyle

from broadcaster.report.account import Account
from broadcaster.web.documents import tables
from broadcaster.web.documents.phrases import Phrases
from broadcaster.web.documents.tables import TableOf
from broadcaster.web.language import CHINESE

FONT = "STSong-Light"
_MARGIN = 15 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TITLE = ParagraphStyle("title", fontName=FONT, fontSize=18, leading=24, wordWrap="CJK")
_HEADING = ParagraphStyle(
    "heading", fontName=FONT, fontSize=13, leading=18, spaceBefore=10, spaceAfter=4, wordWrap="CJK"
)
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=9, leading=12, wordWrap="CJK")
_NUMBER = ParagraphStyle("number", parent=_TEXT, alignment=2)


class Report(BaseDocTemplate):
    """Writes a bookmark wherever a heading comes to lie, and the page's number at its foot."""

    def __init__(self, target: io.BytesIO, title: str, footer: str, language: str) -> None:
        super().__init__(target, pagesize=A4, title=title, author="Daohu", lang=language)
        frame = Frame(_MARGIN, _MARGIN, _WIDTH, A4[1] - 2 * _MARGIN, id="page")
        self.addPageTemplates([PageTemplate(id="page", frames=[frame], onPage=self._foot)])
        self._footer = footer
        self._headings = 0

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802  # reportlab's name
        """Called by reportlab behind everything that it has placed."""
        if isinstance(flowable, Paragraph) and flowable.style is _HEADING:
            self._headings += 1
            key = f"heading-{self._headings}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, level=0)

    def _foot(self, canvas: Any, _document: BaseDocTemplate) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(_MARGIN, 8 * mm, self._footer)
        canvas.drawRightString(A4[0] - _MARGIN, 8 * mm, str(canvas.getPageNumber()))


def write(found: Account, phrases: Phrases, district: str) -> bytes:
    """The file. Whatever is written in names is text."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    title = f"{district} · {phrases.say('总结报告')}"
    body: list[Flowable] = [
        Paragraph(escape(title), _TITLE),
        Spacer(1, 4 * mm),
        *_section(TableOf("summary", phrases.say("概况"), (), tuple(tables.summary(found, phrases)))),
    ]
    for table in tables.tables(found, phrases):
        if table.code == "course" and len(found.course.points) > 1:
            body += [Paragraph(escape(phrases.say("已到户随时间")), _HEADING), _plot(found)]
        body += _section(table)
    target = io.BytesIO()
    language = "zh-CN" if phrases.language == CHINESE else phrases.language
    Report(target, title, f"{found.record.identifier} · {phrases.time(found.as_of)}", language).build(body)
    return target.getvalue()


def _section(table: TableOf) -> list[Flowable]:
    heading = Paragraph(escape(table.title), _HEADING)
    if not table.rows:
        return [heading, Paragraph("–", _TEXT)]
    head = [[Paragraph(f"<b>{escape(text)}</b>", _TEXT) for text in table.head]] if table.head else []
    rows = [[_cell(value, number=place in table.numbers) for place, value in enumerate(row)] for row in table.rows]
    made = LongTable([*head, *rows], colWidths=[_WIDTH / len(table.rows[0])] * len(table.rows[0]), repeatRows=len(head))
    made.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#b9b6b2")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                *([("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#efedea"))] if head else []),
            ]
        )
    )
    return [heading, made]


def _cell(value: object, *, number: bool) -> Paragraph:
    text = f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
    return Paragraph(escape(text), _NUMBER if number else _TEXT)


def _plot(found: Account) -> Drawing:
    """Households reached over minutes since issue."""
    opened = found.record.issued_at or found.course.opened_at
    line = [((point.at - opened).total_seconds() / 60, reached) for point, reached, _ in found.growth]
    plot = LinePlot()
    plot.x, plot.y, plot.width, plot.height = 40, 24, int(_WIDTH) - 60, 130
    plot.data = [line]
    plot.lines[0].strokeColor = colors.HexColor("#146c2e")
    plot.lines[0].strokeWidth = 1.5
    plot.yValueAxis.valueMin = 0
    plot.yValueAxis.valueMax = max(1, found.progress.households.total)
    plot.yValueAxis.labelTextFormat = "%d"
    plot.xValueAxis.labelTextFormat = "%g"
    drawing = Drawing(_WIDTH, 170)
    drawing.add(plot)
    return drawing
