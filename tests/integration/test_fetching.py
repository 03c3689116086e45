"""Servers that are slow, broken or hostile: each is told for what it is, bounded in time and memory."""

from __future__ import annotations

import gzip
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.cap.source import plugin
from adapters.fetching import DocumentSource
from adapters.fetching.door import is_public
from broadcaster.sources import Failed, Heard, SourceSettings, Trouble
from tests.harness.certificates import certificates
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.shelves import ListShelf
from tests.harness.warnings import ATOM, entry, foreign, index, xml

QUICK = 1.5
"""Seconds of patience: enough for a server on this machine, however loaded."""


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture
def shelf() -> ListShelf:
    return ListShelf()


async def visit(address: str, shelf: ListShelf, memory: dict[str, str] | None = None, **options: Any) -> Heard | Failed:
    source = made(address, **options)
    try:
        return await source.visit(shelf, memory or {})
    finally:
        await source.close()


def made(address: str, *, private: bool = True, timeout: float = 20.0, **options: Any) -> DocumentSource:
    settings = SourceSettings(
        name="met", kind="cap", address=address, private=private, options={"timeout": timeout, **options}
    )
    return plugin.build(settings)


async def test_a_message_is_kept_as_it_came(server: FeedServer, shelf: ListShelf) -> None:
    address = server.tell("/one.xml", xml(foreign()), headers={"Content-Type": "text/plain"})
    assert await visit(address, shelf) == Heard({"address": address}, offered=1, new=1)
    assert [item.document for item in shelf.items] == [xml(foreign())]
    assert shelf.items[0].address == ""  # it is the configured one, which may hold a key


async def test_an_index_is_followed_oldest_first_and_nothing_is_fetched_twice(
    server: FeedServer, shelf: ListShelf
) -> None:
    links = [server.tell(f"/twice/{number}.xml", xml(foreign(f"QX_{number}"))) for number in (3, 2, 1)]
    address = server.tell("/twice.atom", index(*links))
    first = await visit(address, shelf)
    assert isinstance(first, Heard)
    assert (first.offered, first.new) == (3, 3)
    assert [b"QX_1<" in shelf.items[0].document, b"QX_3<" in shelf.items[2].document] == [True, True]
    again = await visit(address, shelf)
    assert again == replace(first, new=0)
    assert all(len(server.asked(f"/twice/{number}.xml")) == 1 for number in (1, 2, 3))


async def test_a_message_that_stands_in_the_index_needs_no_fetching(server: FeedServer, shelf: ListShelf) -> None:
    carried = xml(foreign()).decode().partition("?>")[2]
    written = ATOM.format(
        f'<entry><id>1</id><title>t</title><updated>u</updated><content type="text/xml">{carried}</content></entry>'
    )
    heard = await visit(server.tell("/carried.atom", written), shelf)
    assert isinstance(heard, Heard)
    assert heard.new == 1
    assert made("").judge(shelf.items[0].document, foreign().sent).alert is not None


async def test_what_has_not_changed_is_not_sent_again(server: FeedServer, shelf: ListShelf) -> None:
    headers = {"ETag": '"abc"', "Last-Modified": "Mon, 10 Aug 2026 03:00:00 GMT"}
    address = server.tell("/etag.xml", xml(foreign()), headers=headers)
    first = await visit(address, shelf)
    assert isinstance(first, Heard)
    again = await visit(address, shelf, dict(first.memory))
    assert again == Heard(first.memory)
    asked = server.asked("/etag.xml")[-1]["headers"]
    assert (asked["if-none-match"], asked["if-modified-since"]) == (headers["ETag"], headers["Last-Modified"])


async def test_what_is_remembered_of_another_address_is_not_told_to_this_one(
    server: FeedServer, shelf: ListShelf
) -> None:
    address = server.tell("/moved.xml", xml(foreign()), headers={"ETag": '"new"'})
    heard = await visit(address, shelf, {"address": "http://elsewhere/", "etag": '"new"'})
    assert isinstance(heard, Heard)
    assert heard.new == 1


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.DENIED),
        (403, Trouble.DENIED),
        (404, Trouble.MISSING),
        (410, Trouble.MISSING),
        (429, Trouble.BUSY),
        (503, Trouble.BUSY),
        (500, Trouble.BROKEN),
        (204, Trouble.NONSENSE),
        (206, Trouble.NONSENSE),
    ],
)
async def test_a_status_is_told_for_what_it_is(
    server: FeedServer, shelf: ListShelf, status: int, trouble: Trouble
) -> None:
    address = server.tell("/status", xml(foreign()) if status != 204 else b"", status=status)
    failed = await visit(address, shelf)
    assert isinstance(failed, Failed)
    assert failed.trouble is trouble
    assert shelf.items == []


@pytest.mark.parametrize(("written", "after"), [("120", 120.0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0), ("soon", None)])
async def test_a_busy_server_says_when_to_come_again(
    server: FeedServer, shelf: ListShelf, written: str, after: float | None
) -> None:
    failed = await visit(server.tell("/busy", status=429, headers={"Retry-After": written}), shelf)
    assert isinstance(failed, Failed)
    assert failed.after == after


@pytest.mark.parametrize(
    ("mood", "trouble"),
    [
        ("hang", Trouble.SLOW),
        ("slow", Trouble.SLOW),
        ("endless", Trouble.TOO_LARGE),
        ("truncated", Trouble.TRUNCATED),
        ("close", Trouble.TRUNCATED),
        ("babble", Trouble.NONSENSE),
        ("bomb", Trouble.TOO_LARGE),
    ],
)
async def test_a_server_that_misbehaves_costs_little(
    server: FeedServer, shelf: ListShelf, mood: str, trouble: Trouble
) -> None:
    address = server.tell(f"/mood/{mood}", xml(foreign()), mood=mood)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failed = await visit(address, shelf, timeout=QUICK if trouble is Trouble.SLOW else 60.0)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert isinstance(failed, Failed)
    assert failed.trouble is trouble
    assert grown < 64 * 1024, f"{grown} KiB for one answer"


async def test_a_packed_answer_is_unpacked_and_a_cut_one_is_told(server: FeedServer, shelf: ListShelf) -> None:
    packed = gzip.compress(xml(foreign()))
    headers = {"Content-Encoding": "gzip"}
    heard = await visit(server.tell("/packed", packed, headers=headers), shelf)
    assert isinstance(heard, Heard)
    assert shelf.items[0].document == xml(foreign())
    for path, body, trouble in (
        ("/cut", packed[:-20], Trouble.TRUNCATED),
        ("/no-gzip", b"plain", Trouble.NONSENSE),
    ):
        failed = await visit(server.tell(path, body, headers=headers), shelf)
        assert isinstance(failed, Failed)
        assert failed.trouble is trouble
    failed = await visit(server.tell("/brotli", packed, headers={"Content-Encoding": "br"}), shelf)
    assert isinstance(failed, Failed)
    assert failed.trouble is Trouble.NONSENSE


async def test_a_web_page_is_no_message(server: FeedServer, shelf: ListShelf) -> None:
    for path, body in (
        ("/page", "<html><body>Sign in</body></html>"),
        ("/text", "nothing"),
        ("/bytes", b"\xff\xfe\x00"),
    ):
        failed = await visit(server.tell(path, body, headers={"Content-Type": "application/cap+xml"}), shelf)
        assert isinstance(failed, Failed)
        assert failed.trouble is Trouble.NONSENSE


async def test_who_is_right_about_the_encoding(server: FeedServer, shelf: ListShelf) -> None:
    text = xml(foreign()).decode().partition("?>")[2]
    gbk = f'<?xml version="1.0" encoding="GBK"?>{text}'.encode("gbk")
    heard = await visit(server.tell("/gbk", gbk, headers={"Content-Type": "text/xml; charset=utf-8"}), shelf)
    assert isinstance(heard, Heard)
    assert "以文件为准" in heard.remarks[0]
    undeclared = await visit(
        server.tell("/gb", text.encode("gb18030"), headers={"Content-Type": "text/xml; charset=gb18030"}), shelf
    )
    assert isinstance(undeclared, Heard)
    now = foreign().sent
    read = [made("").judge(item.document, now).alert for item in shelf.items]
    assert [alert.infos[0].headline for alert in read if alert] == ["鄞州区发布台风红色预警"] * 2


async def test_a_redirect_is_followed_where_it_may_lead(server: FeedServer, shelf: ListShelf) -> None:
    good = server.tell("/good.xml", xml(foreign()))
    heard = await visit(server.tell("/to", status=302, headers={"Location": good}), shelf)
    assert isinstance(heard, Heard)
    assert heard.new == 1
    server.tell("/circle", status=301, headers={"Location": "/circle"})
    for address in (
        server.url + "/circle",
        server.tell("/file", status=302, headers={"Location": "file:///etc/passwd"}),
        server.tell("/key", status=302, headers={"Location": "http://user:key@example.cn/"}),
        server.tell("/nowhere", status=302),
    ):
        failed = await visit(address, shelf)
        assert isinstance(failed, Failed)
        assert failed.trouble is Trouble.MISLED


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "[::ffff:10.0.0.1]", "169.254.169.254"]
)
async def test_a_private_address_is_not_gone_to_unless_the_operator_says_so(
    server: FeedServer, shelf: ListShelf, host: str
) -> None:
    failed = await visit(f"http://{host}:{server.port}/", shelf, private=False)
    assert isinstance(failed, Failed)
    assert failed.trouble is Trouble.MISLED
    assert "private = true" in failed.reason


@pytest.mark.parametrize(
    ("written", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("::ffff:192.168.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
        ("no address", False),
    ],
)
def test_which_addresses_are_public(written: str, public: bool) -> None:
    assert is_public(written) is public


async def test_a_link_that_is_dead_holds_up_no_other(server: FeedServer, shelf: ListShelf) -> None:
    good = [server.tell(f"/alive/{number}.xml", xml(foreign(f"QX_{number}"))) for number in (2, 1)]
    address = server.tell("/dead.atom", index(*good, server.url + "/gone.xml"), headers={"ETag": '"d"'})
    source = made(address)
    heard = await source.visit(shelf, {})
    assert isinstance(heard, Heard)
    assert (heard.new, heard.offered) == (2, 3)
    assert any("404" in remark for remark in heard.remarks)
    assert "etag" not in heard.memory  # so that what is missing is asked for again
    server.tell("/gone.xml", xml(foreign("QX_0")))
    again = await source.visit(shelf, heard.memory)
    assert isinstance(again, Heard)
    assert (again.new, again.remarks) == (1, ())
    await source.close()


async def test_a_server_that_gives_none_of_its_messages_is_left_alone_for_a_while(
    server: FeedServer, shelf: ListShelf
) -> None:
    links = [server.tell(f"/busy/{number}.xml", status=503, headers={"Retry-After": "7"}) for number in range(9)]
    failed = await visit(server.tell("/busy.atom", index(*links), headers={"ETag": '"b"'}), shelf)
    assert isinstance(failed, Failed)
    assert (failed.trouble, failed.after) == (Trouble.BUSY, 7.0)
    assert failed.memory is not None
    assert "etag" not in failed.memory
    assert sum(len(server.asked(f"/busy/{number}.xml")) for number in range(9)) == 3


async def test_nobody_there_and_a_wrong_address_are_told(shelf: ListShelf) -> None:
    for address, trouble in (
        ("http://127.0.0.1:9/", Trouble.UNREACHABLE),
        ("http://127.0.0.1:99999/", Trouble.NONSENSE),
        ("http://no-such-host.invalid/", Trouble.UNREACHABLE),
    ):
        failed = await visit(address, shelf)
        assert isinstance(failed, Failed)
        assert failed.trouble is trouble, address


async def test_only_a_certificate_that_somebody_vouches_for_is_good(tmp_path: Path, shelf: ListShelf) -> None:
    vouched = certificates(tmp_path)
    with feed_server(vouched) as secure:
        address = secure.tell("/one.xml", xml(foreign()))
        failed = await visit(address, shelf)
        assert isinstance(failed, Failed)
        assert failed.trouble is Trouble.INSECURE
        heard = await visit(address, shelf, ca_file=str(vouched.authority))
        assert isinstance(heard, Heard)
        assert heard.new == 1


async def test_an_index_of_thousands_is_taken_piece_by_piece(server: FeedServer, shelf: ListShelf) -> None:
    good = server.tell("/many.xml", xml(foreign()))
    entries = "".join(entry(f"{good}?{number}", str(number)) for number in range(3000))
    server.tell("/many.atom", ATOM.format(entries))
    for number in range(3):
        server.tell(f"/many.xml?{number}", xml(foreign(f"QX_{number}")))
    heard = await visit(server.url + "/many.atom", shelf)
    assert isinstance(heard, Heard)
    assert heard.offered == 2000
    assert any("3000" in remark for remark in heard.remarks)


async def test_a_folder_is_emptied_once_its_files_are_whole(tmp_path: Path, shelf: ListShelf) -> None:
    old = time.time() - 60
    for name, content in (("a.xml", xml(foreign())), ("junk.bin", b"\x00"), ("page.html", b"<html/>")):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (old, old))
    (tmp_path / "being-written.xml").write_bytes(b"<alert")
    (tmp_path / ".hidden.xml").write_bytes(xml(foreign("QX_9")))
    heard = await visit(str(tmp_path), shelf)
    assert isinstance(heard, Heard)
    assert (heard.offered, heard.new) == (3, 1)
    assert [item.address for item in shelf.items] == ["a.xml"]
    assert sorted(path.name for path in (tmp_path / "taken").iterdir()) == ["a.xml"]
    assert sorted(path.name for path in (tmp_path / "refused").iterdir()) == ["junk.bin", "page.html"]
    assert (tmp_path / "being-written.xml").exists()
    missing = await visit(str(tmp_path / "nowhere"), shelf)
    assert isinstance(missing, Failed)
    assert missing.trouble is Trouble.UNREACHABLE
