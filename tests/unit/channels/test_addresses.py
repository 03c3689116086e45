"""Which addresses and messages each medium takes."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError
from broadcaster.ports import Audio, Medium, Message
from channels.email import channel as email
from channels.loudspeaker import channel as loudspeaker
from channels.sms import channel as sms
from channels.voice import channel as voice
from channels.wechat import channel as wechat

CHANNELS = (sms, voice, wechat, email, loudspeaker)
RECORDING = Audio(Path("/nowhere/a.mp3"), "audio/mpeg", 12.0, "0" * 64)

GOOD = [
    (sms, "13800138000", "13800138000"),
    (sms, " 19900000000 ", "19900000000"),
    (voice, "13800138000", "13800138000"),
    (voice, "057488123456", "057488123456"),
    (voice, "01088123456", "01088123456"),
    (voice, "08791234567", "08791234567"),
    (wechat, "oDaohuRehearsal0000000000001", "oDaohuRehearsal0000000000001"),
    (wechat, "o6_bmjrPTlm6_2sgVt7hMZOPfL-M", "o6_bmjrPTlm6_2sgVt7hMZOPfL-M"),
    (wechat, "wecom:Zhang.San@office", "wecom:zhang.san@office"),
    (wechat, " wecom:7 ", "wecom:7"),
    (wechat, "group:xia-ying_1", "group:xia-ying_1"),
    (email, "Zhang.San+x@Example.CN", "Zhang.San+x@example.cn"),
    (email, "a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
    (email, "村书记@example.cn", "村书记@example.cn"),
    (email, "a@example.cn.", "a@example.cn"),
    (email, "a@ｅｘａｍｐｌｅ．cn", "a@example.cn"),
    (loudspeaker, "43415230000000314010301", "43415230000000314010301"),
    (loudspeaker, "330212000000010101", "330212000000010101"),
    (loudspeaker, "rtp://224.168.168.168:34567", "rtp://224.168.168.168:34567"),
    (loudspeaker, "address-00001", "address-00001"),
]
BAD = [
    (sms, "057488123456"),
    (sms, "12800138000"),
    (sms, "1380013800"),
    (sms, "138001380000"),
    (sms, "１３８００１３８０００"),
    (sms, "+8613800138000"),
    (sms, ""),
    (voice, "88123456"),
    (voice, "0574-88123456"),
    (voice, "110"),
    (voice, "13800138000;13800138001"),
    (wechat, "zhangsan"),
    (wechat, "oDaohuRehearsal00000000000011"),
    (wechat, "oDaohuRehearsal000000000000/"),
    (wechat, "wecom:"),
    (wechat, "wecom:a|b"),
    (wechat, "wecom:_a"),
    (wechat, f"wecom:{'a' * 65}"),
    (wechat, "group:下应"),
    (wechat, "group:"),
    (wechat, "wxid:zhangsan"),
    (email, "zhangsan"),
    (email, "@example.cn"),
    (email, "a b@example.cn"),
    (email, "a@b@example.cn"),
    (email, '"a b"@example.cn'),
    (email, "a..b@example.cn"),
    (email, ".a@example.cn"),
    (email, "a@localhost"),
    (email, "a@[127.0.0.1]"),
    (email, "a@127.0.0.1"),
    (email, "a@exa_mple.cn"),
    (email, "a@-example.cn"),
    (email, "a@example.cn\r\nBcc: b@example.cn"),
    (email, "a\n@example.cn"),
    (email, "a\u200b@example.cn"),
    (email, "<a@example.cn>"),
    (email, f"{'a' * 65}@example.cn"),
    (email, f"a@{'b' * 64}.cn"),
    (email, f"a@{'.'.join(['b' * 60] * 5)}.cn"),
    (loudspeaker, "4341523000000031401030"),
    (loudspeaker, "93415230000000314010301"),
    (loudspeaker, "the one by the pond"),
    (loudspeaker, "村口的喇叭"),
    (loudspeaker, "x" * 201),
    (loudspeaker, ""),
]


@pytest.mark.parametrize(("channel", "written", "canonical"), GOOD)
def test_a_good_address_comes_out_in_its_one_form(channel: ModuleType, written: str, canonical: str) -> None:
    assert channel.address(written) == canonical
    assert channel.address(canonical) == canonical


@pytest.mark.parametrize(("channel", "written"), BAD)
def test_a_bad_address_is_refused_with_what_is_allowed_and_without_itself(channel: ModuleType, written: str) -> None:
    with pytest.raises(InputError) as refusal:
        channel.address(written)
    assert refusal.value.remedy
    assert not written or written not in refusal.value.what


@pytest.mark.parametrize("channel", CHANNELS)
@given(text=st.text())
def test_any_text_is_an_address_or_an_input_error(channel: ModuleType, text: str) -> None:
    try:
        canonical = channel.address(text)
    except InputError:
        return
    assert canonical.isprintable()
    assert " " not in canonical
    assert channel.address(canonical) == canonical


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_says_which_medium_it_is(channel: ModuleType) -> None:
    assert Medium(channel.__name__.split(".")[1]) is channel.MEDIUM


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (sms, Message("请转移。")),
        (voice, Message("请转移。", audio=RECORDING)),
        (loudspeaker, Message("请转移。", audio=RECORDING)),
        (wechat, Message("", fields={"thing1": "台风"}, url="https://ebs.example.cn/r/x")),
        (email, Message("请转移。", subject="台风红色预警")),
    ],
)
def test_a_complete_message_passes(channel: ModuleType, message: Message) -> None:
    channel.check(message)


SILENT = Audio(Path("/nowhere/a.mp3"), "audio/mpeg", 0.0, "0" * 64)
VIDEO = Audio(Path("/nowhere/a.mp4"), "video/mp4", 9.0, "0" * 64)


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (sms, Message("")),
        (sms, Message(" \n")),
        (sms, Message("请\0转移")),
        (voice, Message("请转移。")),
        (voice, Message("请转移。", audio=SILENT)),
        (voice, Message("请转移。", audio=VIDEO)),
        (loudspeaker, Message("请转移。")),
        (loudspeaker, Message("请转移。", audio=SILENT)),
        (loudspeaker, Message("请转移。", audio=VIDEO)),
        (wechat, Message("请转移。")),
        (wechat, Message("", fields={"thing1": " "})),
        (wechat, Message("", fields={"1thing": "x"})),
        (wechat, Message("", fields={"thing1": "x"}, url="javascript:alert(1)")),
        (email, Message("请转移。")),
        (email, Message("", subject="台风")),
        (email, Message("请转移。", subject="台风\r\nBcc: everyone@example.cn")),
        (email, Message("请转移。", subject="台风\u2028Bcc: everyone@example.cn")),
    ],
)
def test_a_message_that_cannot_go_out_is_refused_with_a_remedy(channel: ModuleType, message: Message) -> None:
    with pytest.raises(InputError) as refusal:
        channel.check(message)
    assert refusal.value.remedy
