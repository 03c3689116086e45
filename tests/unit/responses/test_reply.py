"""What people write back, and what it means."""

from __future__ import annotations

import re
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.responses.reply import Acknowledge, Help, NotUnderstood, understand
from broadcaster.responses.words import VOCABULARY

ACKNOWLEDGES = [
    *(
        "1",
        "１",
        "①",
        "1️⃣",
        "“1”",
        "【1】",
        "(1)",
        "1.",
        "1。",
        " 1 ",
        "1\n",
        "#1",
        "1#",
        "*1*",
        "+1",
        "一",
        "壹",
        "1！！！",
    ),
    *(
        "收到",
        "收到。",
        "收到！",
        "收到~",
        "收到了",
        "收到啦",
        "收 到",
        "收到👍",
        "收到🙏🙏",
        "收到[强]",
        "收到[抱拳][玫瑰]",
        "『收到』",
    ),
    *(
        "已收到",
        "已经收到",
        "我已收到",
        "我收到了",
        "本人已收到",
        "刚刚收到",
        "收到收到",
        "收到，收到",
        "确认",
        "已确认",
        "确认收到",
        "收到确认",
    ),
    *(
        "收悉",
        "知悉",
        "已知悉",
        "知道了",
        "已知道",
        "明白",
        "明白了",
        "了解",
        "好的",
        "好的，收到",
        "好的收到",
        "遵命",
        "照办",
    ),
    *(
        "OK",
        "ok",
        "Ok!",
        "okay",
        "received",
        "Received.",
        "roger",
        "Confirmed",
        "confirm",
        "ＯＫ",
        "acknowledged",
        "ack",
    ),
    *("確認", "確認收到", "已經收到", "收到，謝謝", "明白，謝謝領導"),
    *(
        "通知收到",
        "收到通知",
        "预警信息已收到",
        "短信收到",
        "已收到预警",
        "指令收到",
        "动员令收到",
        "收到电话通知",
        "电话收到",
    ),
    *(
        "收到1",
        "1收到",
        "1，收到",
        "回复1",
        "回复：1",
        "回复收到",
        "收到，谢谢",
        "谢谢，收到",
        "收到，辛苦了",
        "收到！注意安全",
        "收到，请放心",
    ),
    *(
        "收到，保证完成任务",
        "收到，坚决执行",
        "报告领导，收到",
        "您好，收到",
        "收到，一切正常",
        "收到，无人员伤亡",
        "收到 随时待命",
    ),
    *(
        "已收到，正在转移",
        "收到，正在转移群众",
        "收到，马上组织转移",
        "收到 立即通知村民",
        "收到，正在入户通知",
        "收到，已通知到户",
    ),
    *(
        "已收到,立即组织群众转移到避灾点",
        "收到，已全部到岗",
        "收到，正在巡查山塘水库",
        "收到，现在出发",
        "收到，开始巡查",
        "收到，抓紧落实",
    ),
    *(
        "正在转移",
        "已通知",
        "已经转移",
        "转移完成",
        "全部转移完毕",
        "正在组织转移",
        "已到岗",
        "已落实",
        "马上安排",
        "正在处置中",
    ),
    *(
        "钟家村收到",
        "东吴镇收到，马上安排",
        "潘火街道已收到",
        "王书记收到",
        "第3网格收到",
        "下应社区收到！",
        "何家村收到",
        "张三网格员收到",
    ),
    *("我村已收到", "本村收到", "本社区已收到，正在落实", "我们收到了", "全体收到", "大家都已收到", "各网格均已收到"),
]

WITH_CODE = [
    *(
        "1 27",
        "1#27",
        "1,27",
        "1，27",
        "1-27",
        "1：27",
        "1、27",
        "1/27",
        "1 #27",
        "１ ２７",
        "1 27。",
        "“1 27”",
        "1  27",
        "1.27",
        "1\n27",
    ),
    *(
        "127",
        "27 1",
        "27#1",
        "27，1",
        "收到27",
        "收到 27",
        "收到#27",
        "确认27",
        "确认 27",
        "27收到",
        "27 收到",
        "已收到27",
        "收到（27）",
    ),
    *(
        "1 收到 27",
        "收到1 27",
        "OK 27",
        "ok27",
        "received 27",
        "確認27",
        "知道了 27",
        "明白27",
        "收到27，正在转移",
        "27 已转移30人",
    ),
    *("1 27，谢谢", "1 27 正在转移", "回复1 27", "钟家村收到 27"),
]

MOVED = {
    "已转移30人": 30,
    "转移30人": 30,
    "已转移３０人": 30,
    "已转移三十人": 30,
    "已转移一百二十三人": 123,
    "已转移两千人": 2000,
    "已转移一万二千人": 12000,
    "已转移十五人": 15,
    "已转移群众30名": 30,
    "已轉移30人": 30,
    "30人已转移": 30,
    "收到，已转移30人": 30,
    "1 已转移30人": 30,
    "收到，已转移12户35人": 35,
    "已转移约30人": 30,
    "已转移30余人": 30,
    "已转移30多人": 30,
    "已安全转移30人，无人员伤亡": 30,
    "已撤离8人": 8,
    "已疏散200人": 200,
    "全部安置完毕，共45人": 45,
    "已转移老人5人": 5,
    "已转移1,200人": 1200,
    "共转移30人": 30,
    "转移完成30人": 30,
    "已转移20人，其中老人5人": 20,
}

NOT_MOVED = [
    "正在转移30人",
    "准备转移30人",
    "马上转移30人",
    "已转移12户",
    "已通知30人",
    "到岗30人",
    "已到岗5人，正在转移",
]

NOT_UNDERSTOOD = [
    *(
        "",
        " ",
        "。",
        "?",
        "？",
        "？？？",
        "什么",
        "啥",
        "谁啊",
        "你是谁",
        "什么意思",
        "哪个村",
        "在哪",
        "真的吗",
        "是不是骗子",
    ),
    *(
        "没收到",
        "没有收到",
        "未收到",
        "还没收到",
        "不是1",
        "不1",
        "1不",
        "别发了",
        "不要发了",
        "收到不了",
        "没有",
        "不知道",
        "不明白",
        "不了解",
    ),
    *(
        "不确认",
        "无法确认",
        "不能确认",
        "未确认",
        "尚未收到",
        "没收到短信",
        "怎么没收到",
        "谁收到",
        "谁收到了",
        "哪里收到",
        "我们没收到",
        "并未收到",
    ),
    *(
        "收到？",
        "收到?",
        "收到吗",
        "收到了吗",
        "收到没",
        "收到没有",
        "收到了没",
        "你收到了吗",
        "1?",
        "1？",
        "1吗",
        "是1吗",
        "收到吧",
        "收到嘛",
        "收到么",
    ),
    *(
        "收到诈骗短信吗",
        "收到诈骗短信",
        "收到你的短信了但是看不懂",
        "收到钱了",
        "收到红包",
        "收到快递",
        "快递收到",
        "收到货了",
        "请问收到没有",
    ),
    *(
        "11",
        "111",
        "10",
        "12",
        "2",
        "3",
        "0",
        "9",
        "01",
        "100",
        "110",
        "119",
        "120",
        "1 1",
        "1,1",
        "1 2",
        "1 10",
        "1 0",
        "2 1",
        "1 27 28",
        "27",
        "27 28",
    ),
    *(
        "1000元",
        "1元",
        "¥1",
        "1%",
        "1°",
        "1人",
        "1号",
        "1个",
        "1楼",
        "第1",
        "1月27日",
        "1:27分",
        "-1",
        "−1",
        "=1",
        "<1",
        "1=1",
        "1/2",
        "½",
        "1户",
        "3.14",
    ),
    *(
        "收到27人",
        "收到27条短信",
        "收到 27 号文件",
        "27号收到",
        "收到12",
        "收到2",
        "收到1234567",
        "13800138000",
        "123456",
        "1 2 3",
        "12345",
    ),
    *(
        "退订",
        "TD",
        "T",
        "N",
        "no",
        "not received",
        "not ok",
        "NOK",
        "okra",
        "yesterday",
        "I have not received it",
        "wrong number",
        "stop",
    ),
    *(
        "收到👎",
        "收到❌",
        "1❌",
        "收到❓",
        "🚫1",
        "1̶",
        "哈哈",
        "呵呵",
        "嗯",
        "你好",
        "您好",
        "谢谢",
        "辛苦了",
        "放心",
        "平安",
        "一切正常",
        "新年快乐",
    ),
    *(
        "转移",
        "通知",
        "请转移",
        "转移吗",
        "要转移吗",
        "往哪转移",
        "什么时候转移",
        "转移失败",
        "无法转移",
        "不转移",
        "拒绝转移",
        "没转移",
        "未转移30人",
    ),
    *(
        "30人未转移",
        "还有5人未转移",
        "30人没有转移",
        "应转移30人",
        "计划转移30人",
        "人已转移",
        "30",
        "30人",
        "三十人",
        "二十七",
        "十",
    ),
    *(
        "哪个村收到",
        "没有村收到",
        "有的村收到",
        "只有张村收到",
        "听说王书记收到",
        "等王书记收到",
        "让李书记收到",
        "其他村收到",
        "如果王书记收到",
    ),
    *(
        "假的收到",
        "收到假消息",
        "误收到",
        "错误收到",
        "勿回复1",
        "请勿收到",
        "不必收到",
        "非收到",
        "无收到",
        "收到个屁",
        "收到后再说",
        "如果收到",
    ),
    *(
        "收到，有两户不肯走",
        "收到，但是没有车",
        "收到，另外我家电视坏了",
        "收到的话请回复",
        "对方已收到您的消息，稍后回复您",
        "自动回复：您好，我现在不在",
    ),
    *("【中国移动】您的验证码是1234", "明天会停课吗", "水位多少", "台风什么时候到", "停电了", "路断了", "家里进水"),
    "1" * 500,
    "收到" * 300,
]

HELPS = [
    *(
        "求助",
        "求助！",
        "求 助",
        "求助求助",
        "求救",
        "救命",
        "救命啊",
        "救命！！！",
        "SOS",
        "sos",
        "ＳＯＳ",
        "🆘",
        "HELP",
        "help!",
        "Help me",
    ),
    *(
        "需要帮助",
        "我需要帮助",
        "需要支援",
        "收到，需要支援",
        "請求支援",
        "请求救援",
        "快来救我",
        "救救我们",
        "我们被困了",
        "老人被困二楼",
        "走不动",
    ),
    *(
        "1 求助",
        "收到，求助",
        "求助，收到",
        "有人受伤",
        "我家3楼求助",
        "水不停涨救命",
        "没有！求助",
        "没收到，求助",
        "不知道怎么办，救命",
        "能帮帮我吗？",
    ),
    *("救命？", "出不去了", "家里老人动不了", "please help", "需要转移", "我们村要支援", "已转移30人，请求支援"),
]

NO_HELP = [
    *(
        "不需要帮助",
        "不用求助",
        "没有人求助",
        "无人被困",
        "没人受伤",
        "无人员受伤",
        "不需要支援",
        "暂不需要支援",
        "无需救援",
        "没有被困",
    ),
    *("收到，无人被困", "已解救被困群众", "no help needed", "I don't need help", "helpful", "helpless1"),
]


@pytest.mark.parametrize("text", ACKNOWLEDGES)
def test_an_acknowledgement_is_understood(text: str) -> None:
    assert understand(text) == Acknowledge()


@pytest.mark.parametrize("text", WITH_CODE)
def test_the_code_of_an_alert_is_read_beside_it(text: str) -> None:
    said = understand(text)
    assert isinstance(said, Acknowledge)
    assert said.code == "27"


@pytest.mark.parametrize(("text", "people"), MOVED.items())
def test_people_who_were_moved_are_counted(text: str, people: int) -> None:
    assert understand(text) == Acknowledge(moved=people)


@pytest.mark.parametrize("text", NOT_MOVED)
def test_people_who_are_still_being_moved_are_not_counted(text: str) -> None:
    assert understand(text) == Acknowledge()


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_what_asks_denies_or_speaks_of_something_else_never_counts(text: str) -> None:
    assert understand(text) == NotUnderstood()


@pytest.mark.parametrize("text", HELPS)
def test_a_cry_for_help_is_heard_and_wins(text: str) -> None:
    assert understand(text) == Help()


@pytest.mark.parametrize("text", NO_HELP)
def test_saying_that_no_help_is_needed_raises_none(text: str) -> None:
    assert not isinstance(understand(text), Help)


def test_help_keeps_the_words_and_reads_a_code_but_no_house_number() -> None:
    said = understand("求助 27")
    assert isinstance(said, Help)
    assert (said.code, said.text) == ("27", "求助 27")
    assert understand("求助，65岁老人") == Help()
    assert understand("求助 27 28") == Help()


@pytest.mark.parametrize(
    ("keys", "meaning"), [("1", Acknowledge()), ("9", Help()), ("1#", Acknowledge()), ("*1", Acknowledge())]
)
def test_keys_pressed_during_a_call_are_understood(keys: str, meaning: object) -> None:
    assert understand(keys, keypad=True) == meaning


@pytest.mark.parametrize("keys", ["", "11", "2", "0", "19", "收到", "#"])
def test_other_keys_of_a_call_mean_nothing(keys: str) -> None:
    assert understand(keys, keypad=True) == NotUnderstood()


def test_a_digit_asks_for_help_only_where_the_text_offered_it() -> None:
    assert understand("2", help_keys={"2"}) == Help()
    assert understand("2 27", help_keys={"2"}) == Help("27")
    assert understand("1 2", help_keys={"2"}) == Help()
    assert understand("2楼", help_keys={"2"}) == NotUnderstood()
    assert understand("2") == NotUnderstood()


def test_the_table_is_large_enough_to_mean_something() -> None:
    tables = (ACKNOWLEDGES, WITH_CODE, MOVED, NOT_MOVED, NOT_UNDERSTOOD, HELPS, NO_HELP)
    assert sum(map(len, tables)) >= 150


DECORATIONS = st.text(alphabet=" 　.,。，！!~…、；:“”\"'()【】《》—👍🙏💪\n\t\u200b️", max_size=6)
NEGATIONS = st.sampled_from(
    [
        "不",
        "没",
        "没有",
        "未",
        "别",
        "不是",
        "勿",
        "无法",
        "从未",
        "尚未",
        "并非",
        "拒绝",
        "吗",
        "么",
        "没有吗",
        "？",
        "?",
        "no ",
        "not ",
        "❌",
    ]
)
GOOD = st.sampled_from([*ACKNOWLEDGES, *WITH_CODE, *MOVED])


@given(st.text())
def test_no_text_whatever_makes_it_fail(text: str) -> None:
    assert isinstance(understand(text), Acknowledge | Help | NotUnderstood)
    assert isinstance(understand(text, keypad=True), Acknowledge | Help | NotUnderstood)


@given(
    st.lists(st.sampled_from([*VOCABULARY, "1", "27", "一", "百", "三十", " ", "，", "没", "？"]), max_size=30).map(
        "".join
    )
)
def test_no_heap_of_its_own_words_makes_it_fail(text: str) -> None:
    assert isinstance(understand(text), Acknowledge | Help | NotUnderstood)


@given(GOOD, NEGATIONS, st.data())
def test_a_negation_or_question_anywhere_never_acknowledges(text: str, negation: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    assert not isinstance(understand(text[:place] + negation + text[place:]), Acknowledge)


@given(st.sampled_from([*ACKNOWLEDGES, *MOVED, *WITH_CODE]), DECORATIONS, DECORATIONS)
def test_decoration_around_a_reply_never_changes_what_it_means(text: str, before: str, after: str) -> None:
    assert understand(f"{before}{text}{after}") == understand(text)


@given(st.sampled_from([text for text in (*ACKNOWLEDGES, *MOVED, *NOT_UNDERSTOOD, *HELPS) if len(text) < 50]))
def test_full_width_writing_never_changes_what_it_means(text: str) -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)
    assert understand(wide) == understand(text)


@given(
    st.sampled_from(
        [
            text
            for text in ACKNOWLEDGES
            if "[" not in text and not re.search("[0-9a-z]", normalize("NFKC", text).lower())
        ]
    ),
    st.data(),
)
def test_blanks_between_characters_never_change_what_it_means(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    assert understand(f"{text[:place]} {text[place:]}") == understand(text)


@given(st.text(alphabet="0123456789 ", max_size=8))
def test_of_bare_digits_only_one_and_a_code_acknowledge(text: str) -> None:
    said = understand(text)
    if isinstance(said, Acknowledge):
        assert "".join(text.split()) in {"1", f"1{said.code}", f"{said.code}1"}
        assert not set(said.code) & set("01")
