"""Photos that a village head sends: made harmless, kept few, shown to whoever may see the village."""

from __future__ import annotations

import asyncio
import io
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import FormData
from PIL import ExifTags, Image, ImageOps

from broadcaster.errors import InputError
from broadcaster.escalation import photos
from broadcaster.responses import picture
from broadcaster.web.context import Context
from broadcaster.web.endpoint import JSON
from tests.harness.field import photo, unit_link
from tests.harness.pages import reader
from tests.harness.web import OTHER_TOWN, TOWN, Make, Web


def _form(data: bytes, key: str = "tap-00000001") -> FormData:
    form = FormData()
    form.add_field("key", key)
    form.add_field("photo", io.BytesIO(data), filename="../../etc/passwd.jpg", content_type="image/jpeg")
    return form


async def _kept(web: Web) -> int:
    count: int = await web.value("SELECT count(*) FROM field_picture")
    return count


def test_a_photo_is_turned_upright_made_small_and_says_nothing_of_where_it_was_taken() -> None:
    made = picture.harmless(photo((2400, 1200), turned=True, place=True) + b"<?php hidden behind the end")
    assert (made.width, made.height) == (800, 1600)
    assert b"SECRETPHONE" not in made.data
    assert b"hidden" not in made.data
    with Image.open(io.BytesIO(made.data)) as opened:
        assert not opened.getexif()


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_other_forms_of_pictures_become_jpeg(form: str) -> None:
    with Image.open(io.BytesIO(picture.harmless(photo((300, 200), form)).data)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (300, 200))


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a" + b"\0" * 100, b"<svg onload='alert(1)'/>", photo()[:500], b"\xff\xd8\xff" + b"\0" * 1000],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        picture.harmless(data)


@pytest.mark.parametrize(
    "size",
    [(10_000, 10_000), (6_000, 6_000), (1, 40_000)],
    ids=["13 kB that become 300 MB", "of no telephone", "rows of one pixel, which cost as much as long ones"],
)
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    bomb = io.BytesIO()
    Image.new("1", size).save(bomb, "PNG")
    with pytest.raises(InputError, match="像素"):
        picture.harmless(bomb.getvalue())


def test_a_telephones_largest_photo_is_taken() -> None:
    taken = io.BytesIO()
    Image.new("RGB", (8_000, 6_000)).save(taken, "JPEG", progressive=True)
    made = picture.harmless(taken.getvalue())
    assert (made.width, made.height) == (1600, 1200)


def test_a_jpeg_that_would_be_decoded_for_an_hour_is_refused() -> None:
    taken = io.BytesIO()
    Image.new("L", (64, 64), 90).save(taken, "JPEG", progressive=True)
    data = taken.getvalue()
    last = data[data.rfind(b"\xff\xda") : -2]
    with pytest.raises(InputError):
        picture.harmless(data[:-2] + last * 1_000 + data[-2:])


def test_a_photo_whose_notes_are_broken_is_taken_all_the_same() -> None:
    notes = struct.pack("<2sHIHHHIHHHHI4sI", b"II", 42, 8, 2, 0x0112, 3, 1, 6, 0, 0x0100, 7, 4, b"abcd", 0)
    taken = io.BytesIO()
    Image.new("RGB", (40, 20)).save(taken, "JPEG", exif=b"Exif\0\0" + notes)
    made = picture.harmless(taken.getvalue())
    assert (made.width, made.height) == (20, 40)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_from_however_the_telephone_was_held(orientation: int) -> None:
    seen = Image.new("RGB", (64, 32), "black")
    seen.paste("red", (0, 0, 32, 16))
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = orientation
    taken = io.BytesIO()
    seen.save(taken, "JPEG", exif=notes, quality=95)
    with Image.open(io.BytesIO(picture.harmless(taken.getvalue()).data)) as made:
        expected = ImageOps.exif_transpose(Image.open(taken))
        assert made.size == expected.size
        for place in ((4, 4), (made.width - 5, 4), (4, made.height - 5), (made.width - 5, made.height - 5)):
            shown, meant = made.convert("RGB").getpixel(place), expected.convert("RGB").getpixel(place)
            assert isinstance(shown, tuple)
            assert isinstance(meant, tuple)
            assert (shown[0] > 128) == (meant[0] > 128), place


async def test_a_photo_sent_twice_is_kept_once(web: Web) -> None:
    link, _ = await unit_link(web)
    for _ in range(2):
        answer = await web.client.post(f"{link}/photo", data=_form(photo()), allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, f"{link}?said=photo")
    assert await _kept(web) == 1
    assert await web.value(
        "SELECT p.bytes = octet_length(i.data) FROM field_photo p JOIN field_picture i ON i.photo_id = p.id"
    )
    assert "已收到 1 张" in await (await web.client.get(link)).text()


async def test_several_copies_at_once_are_kept_once(web: Web) -> None:
    link, _ = await unit_link(web)
    await asyncio.gather(*(web.client.post(f"{link}/photo", data=_form(photo())) for _ in range(4)))
    assert await _kept(web) == 1
    assert await web.value("SELECT count(*) FROM field_photo") == 1


async def test_what_cannot_be_taken_is_said_at_the_field_and_leaves_nothing_behind(web: Web) -> None:
    link, _ = await unit_link(web)
    for data, said in ((b"no picture", "这不是能打开的照片"), (b"", "没有选择照片"), (b"x" * 5_300_000, "照片太大")):
        answer = await web.client.post(f"{link}/photo", data=_form(data))
        assert answer.status == 422
        assert said in await answer.text()
    bare = await web.client.post(f"{link}/photo", data={"photo": "x"}, headers={"Accept": JSON})
    assert (bare.status, (await bare.json())["code"]) == (400, "bad-input")
    assert await _kept(web) == 0
    assert await web.value("SELECT count(*) FROM field_photo") == 0


@pytest.mark.parametrize(
    "body",
    [
        b"\0" * 300_000,
        b"--x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n\r\n--x--",
        b"--x\r\nbroken\r\n\r\nabc",
        b"--x\r\n\r\n",
    ],
    ids=["no line", "a thousand headers", "no header", "cut off"],
)
async def test_parts_that_are_none_are_refused_in_words(web: Web, body: bytes) -> None:
    link, _ = await unit_link(web)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await web.client.post(f"{link}/photo", data=io.BytesIO(body), headers=headers)
    assert answer.status == 422
    assert "没有" in await answer.text()
    await reader(web)
    given = await web.client.post("/audience/imports", data=io.BytesIO(body), headers=headers)
    assert given.status in {403, 422}


async def test_a_forged_link_takes_no_photo(web: Web) -> None:
    await unit_link(web)
    assert (await web.client.post(f"/r/{'A' * 32}/photo", data=_form(photo()))).status == 404
    assert await _kept(web) == 0


async def test_a_unit_sends_so_many_and_no_more(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MOST", 2)
    link, _ = await unit_link(web)
    answers = [
        (await web.client.post(f"{link}/photo", data=_form(photo((64, 64)), f"tap-{place:08d}"))).status
        for place in range(3)
    ]
    assert answers == [200, 200, 429]


async def test_only_who_may_see_the_village_sees_its_photos(web: Web) -> None:
    link, _ = await unit_link(web)
    await web.client.post(f"{link}/photo", data=_form(photo()))
    number = await web.value("SELECT alert_id FROM field_photo")
    [report] = (await (await web.ask("GET", f"/api/v1/alerts/{number}/reports")).json())["reports"]
    path = f"/alerts/{number}/photos/{report['photos'][0]}.jpg"
    assert (await web.client.get(path, allow_redirects=False)).status == 302
    for region, status in ((TOWN, 200), (OTHER_TOWN, 404)):
        web.client.session.cookie_jar.clear()
        await web.token("author", region)
        page = await (await web.client.get("/")).text()
        form_token = page.partition('name="form_token" value="')[2].partition('"')[0]
        signed = {"form_token": form_token, "name": f"author-{region}", "password": "correct horse battery"}
        await web.client.post("/sign-in", data=signed)
        answer = await web.client.get(path)
        assert answer.status == status
        if status == 200:
            assert answer.content_type == "image/jpeg"
            with Image.open(io.BytesIO(await answer.read())) as opened:
                assert opened.format == "JPEG"
            assert "现场上报" in await (await web.client.get(f"/alerts/{number}/status")).text()
            assert (await web.client.get(f"/alerts/{number}/photos/99.jpg")).status == 404


async def test_another_process_on_another_machine_shows_what_this_one_took(
    web: Web, make_web: Make, context: Context, tmp_path: Path
) -> None:
    link, _ = await unit_link(web)
    await web.client.post(f"{link}/photo", data=_form(photo()))
    elsewhere = replace(context.settings, data=replace(context.settings.data, dir=tmp_path))
    other = await make_web(replace(context, settings=elsewhere))
    number, one = await web.value("SELECT alert_id FROM field_photo"), await web.value("SELECT id FROM field_photo")
    somebody = await reader(other, "author", TOWN)
    assert (await somebody.web.client.get(f"/alerts/{number}/photos/{one}.jpg")).status == 200
    await web.value("DELETE FROM field_picture")
    await web.value(
        "INSERT INTO archive (alert_id, folder, digest, rows, bytes, sealed_at) VALUES ($1, 'x', '', 0, 0, now())",
        number,
    )
    answer = await somebody.web.client.get(f"/alerts/{number}/photos/{one}.jpg")
    assert answer.status == 410
    assert "x/field_picture.csv.gz" in await answer.text()
