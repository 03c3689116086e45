"""What every kind of source promises, tried with each of them: a new kind is a row of the table."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.caiyun.source import CaiyunOptions, CaiyunSource
from broadcaster import adapters
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Colour, Kind, MsgType, Reference
from broadcaster.errors import InputError, SettingsError, UnauthenticatedError
from broadcaster.sources import Failed, Heard, Judged, Receives, Source, SourcePlugin, SourceSettings, Trouble, Verdict
from tests.harness import bulletins
from tests.harness.alerts import NOW
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.shelves import ListShelf
from tests.harness.warnings import foreign, index, xml

NATIONAL = (Path(__file__).parent / "cn12379.xml").read_text(encoding="utf-8")
OPTIONS = {"key_id": "K1", "project_id": "P1", "private_key": bulletins.QWEATHER_PEM, "region": "330212"}


@dataclass(frozen=True)
class Row:
    """One kind: `pages` are what its server answers, first the one at its address; it offers two warnings of the same
    typhoon, named `names`."""

    kind: str
    pages: Callable[[str], dict[str, bytes]]
    names: tuple[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    case: str = ""
    level: Colour = Colour.RED

    def __str__(self) -> str:
        return self.case or self.kind


def listed(*documents: bytes) -> Callable[[str], dict[str, bytes]]:
    """An index and its messages."""

    def pages(base: str) -> dict[str, bytes]:
        found = {f"{base}/{place}.xml": document for place, document in enumerate(documents)}
        links = (path.rpartition("/")[2] for path in found)
        return {f"{base}/index": index(*links).encode(), **found}

    return pages


def whole(document: bytes) -> Callable[[str], dict[str, bytes]]:
    """One document that says it all."""
    return lambda base: {f"{base}/index": document}


ROWS = (
    Row("cap", listed(xml(foreign("QX_2")), xml(foreign("QX_1"))), ("QX_1", "QX_2")),
    Row(
        "cn12379",
        listed(NATIONAL.replace("_20260810030000", "_20260810030001").encode(), NATIONAL.encode()),
        ("33021241600000_20260810030000", "33021241600000_20260810030001"),
    ),
    Row(
        "qweather",
        whole(bulletins.qweather_answer(bulletins.qweather("B"), bulletins.qweather("A"))),
        ("A", "B"),
        OPTIONS,
    ),
    Row(
        "caiyun",
        whole(bulletins.caiyun_old_answer(bulletins.caiyun_old("B"), bulletins.caiyun_old("A"))),
        ("A", "B"),
        case="caiyun-2.6",
    ),
    Row(
        "caiyun",
        whole(bulletins.caiyun_new_answer(bulletins.caiyun_new("B"), bulletins.caiyun_new("A"))),
        ("A", "B"),
        case="caiyun-3",
    ),
    Row(
        "nmc",
        whole(bulletins.nmc_answer(bulletins.nmc("33021241600000_20260810030001"), bulletins.nmc())),
        ("33021241600000_20260810030000", "33021241600000_20260810030001"),
    ),
)  # fmt: skip
every_kind = pytest.mark.parametrize("row", ROWS, ids=str)


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


def made(row: Row, address: str = "", **options: Any) -> Source:
    settings = SourceSettings(
        name="s", kind=row.kind, address=address, private=True, options={**row.options, "timeout": 30, **options}
    )
    return adapters.sources([settings])["s"]


def serve(server: FeedServer, row: Row, headers: dict[str, str] | None = None) -> str:
    pages = row.pages(f"/{row}")
    for path, document in pages.items():
        server.tell(path, document, headers=headers if path.endswith("/index") else None)
    return server.url + next(iter(pages))


def test_every_installed_kind_is_tried_here() -> None:
    kinds = {kind: entries[0].load() for kind, entries in adapters.installed().items()}
    plugins = {kind for kind, plugin in kinds.items() if isinstance(plugin, SourcePlugin)}
    assert {row.kind for row in ROWS} == plugins - {"ebd"}  # nothing of it is fetched: test_orders_from_above.py


@every_kind
async def test_each_message_is_kept_once_the_oldest_first(row: Row, server: FeedServer) -> None:
    source, shelf = made(row, serve(server, row)), ListShelf()
    first = await source.visit(shelf, {})
    again = await source.visit(shelf, first.memory if isinstance(first, Heard) else {})
    await source.close()
    assert isinstance(first, Heard)
    assert isinstance(again, Heard)
    assert (first.offered, first.new, first.remarks) == (2, 2, ())
    assert (again.offered, again.new) == (2, 0)
    named = [source.judge(item.document, NOW).alert for item in shelf.items]
    assert tuple(alert.identifier for alert in named if alert) == row.names


@every_kind
async def test_what_it_means_is_understood(row: Row, server: FeedServer) -> None:
    source, shelf = made(row, serve(server, row)), ListShelf()
    await source.visit(shelf, {})
    await source.close()
    for item in shelf.items:
        judged = source.judge(item.document, NOW)
        assert judged.verdict is not Verdict.REFUSED, judged.reasons
        alert = judged.alert
        assert alert is not None
        assert (alert.hazard, alert.colour, alert.kind, alert.msg_type) == (
            "typhoon", Colour.RED, Kind.WARNING, MsgType.ALERT,
        )  # fmt: skip
        assert all(region.startswith("330212") for region in areas.regions(alert))
        assert areas.regions(alert)
        assert alert.sent == datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
        assert alert.sender
        assert "台风" in alert.infos[0].headline
        assert source.judge(item.document, NOW) == judged


@every_kind
async def test_what_has_not_changed_is_not_asked_for_again(row: Row, server: FeedServer) -> None:
    address = serve(server, row, {"ETag": '"1"'})
    source, shelf = made(row, address), ListShelf()
    heard = await source.visit(shelf, {})
    assert isinstance(heard, Heard)
    before = len(server.asked())
    again = await source.visit(shelf, heard.memory)
    await source.close()
    assert again == Heard(heard.memory)
    assert len(server.asked()) == before + 1


@every_kind
@pytest.mark.parametrize(
    "nonsense",
    [b"<html><body>Sign in</body></html>", b"{}", b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000, b'{"data": 1}'],
)
async def test_nonsense_is_told_and_keeps_nothing(row: Row, server: FeedServer, nonsense: bytes) -> None:
    address = server.tell(f"/{row}/nonsense", nonsense)
    source, shelf = made(row, address), ListShelf()
    result = await source.visit(shelf, {})
    await source.close()
    assert isinstance(result, Failed)
    assert result.trouble is Trouble.NONSENSE
    assert shelf.items == []
    with pytest.raises(InputError):
        source.messages(nonsense)


@every_kind
async def test_nobody_there_is_told(row: Row) -> None:
    source = made(row, "http://127.0.0.1:9/")
    result = await source.visit(ListShelf(), {})
    await source.close()
    assert isinstance(result, Failed)
    assert result.trouble is Trouble.UNREACHABLE


@every_kind
async def test_damage_is_judged_and_never_raised(row: Row, server: FeedServer) -> None:
    source, shelf = made(row, serve(server, row)), ListShelf()
    await source.visit(shelf, {})
    await source.close()
    chance = Random(str(row))
    for document in (item.document for item in shelf.items):
        for _ in range(300):
            damaged = bytearray(document)
            for _ in range(chance.randint(1, 5)):
                at = chance.randrange(len(damaged))
                damaged[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
            assert isinstance(source.judge(bytes(damaged), NOW), Judged)


@every_kind
def test_a_setting_that_does_not_exist_is_named_at_start(row: Row) -> None:
    with pytest.raises(SettingsError) as caught:
        made(row, pigeon="yes")
    assert "pigeon" in str(caught.value)
    assert "'s'" in str(caught.value)
    assert bulletins.QWEATHER_PEM not in str(caught.value)


@every_kind
async def test_it_looks_through_folders_too(row: Row, tmp_path: Path, server: FeedServer) -> None:
    source, shelf = made(row, serve(server, row)), ListShelf()
    await source.visit(shelf, {})
    await source.close()
    document = shelf.items[0].document
    if row.kind not in ("cap", "cn12379"):  # a folder holds what the service answers
        document = next(iter(row.pages("").values()))
    (tmp_path / "one").write_bytes(document)
    os.utime(tmp_path / "one", (time.time() - 60,) * 2)
    folder, taken = made(row, str(tmp_path)), ListShelf()
    heard = await folder.visit(taken, {})
    assert isinstance(heard, Heard)
    assert (heard.offered, heard.new, heard.remarks) == (1, len(taken.items), ())
    assert taken.items


# what only some of them have


async def test_qweather_is_asked_with_a_token_that_holds_now(server: FeedServer) -> None:
    row = ROWS[2]
    source = made(row, serve(server, row))
    await source.visit(ListShelf(), {})
    await source.close()
    sent = server.asked("/qweather/index")[-1]["headers"]["authorization"]
    head, claims, signature = sent.removeprefix("Bearer ").split(".")

    def opened(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    bulletins.QWEATHER_KEY.public_key().verify(opened(signature), f"{head}.{claims}".encode())
    assert json.loads(opened(head)) == {"alg": "EdDSA", "kid": "K1"}
    told = json.loads(opened(claims))
    now = datetime.now(UTC).timestamp()
    assert told["sub"] == "P1"
    assert told["iat"] < now < told["exp"]


@pytest.mark.parametrize("wrong", [{"private_key": "nonsense"}, {"private_key": ""}, {"region": "33"}, {"key_id": ""}])
def test_what_qweather_lacks_is_named_at_start(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        made(replace(ROWS[2], options={**OPTIONS, **wrong}))


def test_qweathers_updates_and_cancels_name_what_they_replace() -> None:
    source = made(ROWS[2])
    for code, deed in (("update", MsgType.UPDATE), ("cancel", MsgType.CANCEL)):
        entry = bulletins.qweather("B", messageType={"code": code, "supersedes": ["A"]})
        alert = source.judge(json.dumps(entry).encode(), NOW).alert
        assert alert is not None
        assert (alert.msg_type, alert.references) == (deed, (Reference("qweather", "A", None),))
    odd = source.judge(json.dumps(bulletins.qweather(messageType={"code": "perhaps"})).encode(), NOW)
    assert odd.verdict is Verdict.REFUSED


def test_a_title_that_calls_off_is_a_cancel() -> None:
    title = "鄞州区气象台解除台风红色预警"
    for row, entry in ((ROWS[3], bulletins.caiyun_old(title=title)), (ROWS[5], bulletins.nmc(title=title))):
        alert = made(row).judge(json.dumps(entry).encode(), NOW).alert
        assert alert is not None
        assert (alert.msg_type, alert.kind) == (MsgType.CANCEL, Kind.ALL_CLEAR)


def push(token: str = "a token of ours", at: datetime = NOW, **changes: Any) -> bytes:
    alert = bulletins.caiyun_new()
    stamp, nonce = int(at.timestamp()), "n1"
    words = f"{token}-{alert['id']}-{alert['publish_time']}-{nonce}-{stamp}"
    sign = hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()
    return json.dumps({"sign": sign, "nonce": nonce, "server_time": stamp, "alert": alert, **changes}).encode()


def caiyun(token: str = "a token of ours") -> CaiyunSource:
    settings = SourceSettings(name="s", kind="caiyun", options={"push_token": token})
    return CaiyunSource(settings, CaiyunOptions.read(settings), now=lambda: NOW)


def test_a_push_of_caiyun_is_taken_when_it_is_signed_and_new() -> None:
    source = caiyun()
    assert isinstance(source, Receives)
    (document,) = source.receive({}, {}, push())
    judged = source.judge(document, NOW)
    assert judged.alert is not None
    assert judged.alert.identifier == bulletins.caiyun_new()["id"]


@pytest.mark.parametrize(
    "body",
    [
        push(token="another token"),
        push(sign=""),
        push(sign="é"),
        push(nonce="n2"),
        push(alert=bulletins.caiyun_new("FORGED")),
        push(at=NOW - timedelta(minutes=11)),
        push(at=NOW + timedelta(minutes=11)),
    ],
)
def test_a_push_that_is_forged_or_old_is_not(body: bytes) -> None:
    with pytest.raises(UnauthenticatedError):
        caiyun().receive({}, {}, body)


def test_without_a_token_nobody_pushes() -> None:
    with pytest.raises(UnauthenticatedError):
        caiyun("").receive({}, {}, push(token=""))
    for nonsense in (b"", b"{}", b"[" * 10_000, push(alert=[])):
        with pytest.raises(InputError):
            caiyun().receive({}, {}, nonsense)
