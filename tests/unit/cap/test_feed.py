"""Feeds of alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import cap
from adapters.cap import Verdict
from adapters.cap.feed import read_feed
from broadcaster.errors import InputError
from broadcaster.xml import parse
from tests.harness.alerts import typhoon

ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>t</title><updated>2026-08-10</updated>{}</feed>'
ENTRY = "<entry><id>1</id><title>e</title><updated>2026-08-10</updated>{}</entry>"
RSS = '<rss version="2.0"><channel><title>t</title><link>l</link><description>d</description>{}</channel></rss>'


def _judge(tmp_path: Path, text: str) -> cap.Judgement:
    file = tmp_path / "index.xml"
    file.write_text(text, encoding="utf-8")
    return cap.judge(file)


def test_a_feed_lists_where_its_messages_are() -> None:
    atom = read_feed(parse(ATOM.format(ENTRY.format('<link href="http://x/1.cap"/>')).encode()))
    assert [(entry.id, entry.link) for entry in atom.entries] == [("1", "http://x/1.cap")]
    rss = read_feed(parse(RSS.format("<item><title>e</title><link>http://x/2</link><guid>2</guid></item>").encode()))
    assert [(entry.id, entry.link) for entry in rss.entries] == [("2", "http://x/2")]


def test_a_message_within_a_feed_is_judged_too(tmp_path: Path) -> None:
    message = cap.write(typhoon()).decode().partition("?>")[2]
    good = ATOM.format(ENTRY.format(f'<content type="text/xml">{message}</content>'))
    assert _judge(tmp_path, good).verdict is Verdict.ACCEPTED
    bad = _judge(tmp_path, good.replace("<scope>Public</scope>", ""))
    assert bad.verdict is Verdict.REFUSED
    assert "<scope>" in bad.reasons[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ATOM.format(ENTRY.format("")), "既没有 <link>"),
        (ATOM.format(ENTRY.format("<content/>")), "既没有 <link>"),
        (ATOM.replace("<title>t</title>", "").format(""), "缺少 <title>"),
        (RSS.format("<item><title>x</title></item>"), "缺少 <link>"),
        ("<rss/>", "缺少 <channel>"),
    ],
)
def test_a_feed_that_leads_nowhere_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    judgement = _judge(tmp_path, text)
    assert judgement.verdict is Verdict.REFUSED
    assert reason in "".join(judgement.reasons)


def test_what_is_no_feed_says_so() -> None:
    with pytest.raises(InputError, match="不是 Atom"):
        read_feed(parse(b"<html/>"))
