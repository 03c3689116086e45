"""What a voice says for what a warning writes."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from templates.speech import speak, unspeakable
from templates.speech.numerals import cardinal, decimal, digits, quantity, telephone


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"),
        (2, "二"),
        (10, "十"),
        (14, "十四"),
        (20, "二十"),
        (100, "一百"),
        (101, "一百零一"),
        (110, "一百一十"),
        (200, "两百"),
        (212, "两百一十二"),
        (1000, "一千"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (2200, "两千二百"),
        (10000, "一万"),
        (10010, "一万零一十"),
        (20300, "两万零三百"),
        (100000, "十万"),
        (110000, "十一万"),
        (120005, "十二万零五"),
        (600000, "六十万"),
        (100000000, "一亿"),
        (100000001, "一亿零一"),
        (102030405, "一亿零二百零三万零四百零五"),
        (10**16, "一零零零零零零零零零零零零零零零零"),
    ],
)
def test_whole_numbers_are_counted(number: int, said: str) -> None:
    assert cardinal(number) == said


def test_numbers_that_are_names_are_said_digit_by_digit() -> None:
    assert digits("2026") == "二零二六"
    assert telephone("110") == "幺幺零"
    assert decimal("2.50") == "二点五零"
    assert (quantity("2"), quantity("12"), quantity("2.5")) == ("两", "十二", "二点五")


CASES = """
2026年11月23日03时20分 → 二零二六年十一月二十三日凌晨三点二十分
11月23日21:30 → 十一月二十三日晚上九点三十分
11月23日21时30分发布 → 十一月二十三日晚上九点三十分发布
11月24日8时至12时 → 十一月二十四日上午八点到中午十二点
11月23-25日 → 十一月二十三到二十五日
8-12时 → 上午八点到中午十二点
8时30分～9时15分 → 上午八点三十分到上午九点十五分
今晚20时到明晨6时 → 今晚八点到明晨六点
下午3时 → 下午三点
下午5点半 → 下午五点半
5点30分 → 早上五点三十分
10时前 → 上午十点前
24时 → 午夜十二点
0时05分 → 凌晨零点零五分
12:00 → 中午十二点整
13时 → 下午一点
2时 → 凌晨两点
2026-11-23 → 二零二六年十一月二十三日
2026/11/23 → 二零二六年十一月二十三日
2026-11-23T21:30:00+08:00 → 二零二六年十一月二十三日晚上九点三十分
2026-11-23 03:05 → 二零二六年十一月二十三日凌晨三点零五分
2020-2025年 → 二零二零到二零二五年
2小时内 → 两小时内
近3小时 → 近三小时
24h雨量 → 二十四小时雨量
2天 → 两天
2～3天 → 二到三天
第2天 → 第二天
2个月 → 两个月
2户2人2级2组 → 两户两人二级二组
2000人 → 两千人
60万人 → 六十万人
1.5万亩 → 一点五万亩
1,200户 → 一千二百户
10000户 → 一万户
共110户、120人 → 共一百一十户，一百二十人
110毫米 → 一百一十毫米
降雨量30～50毫米，局地100mm以上 → 降雨量三十到五十毫米，局地一百毫米以上
３０～５０毫米 → 三十到五十毫米
雨强80mm/h → 雨强八十毫米每小时
最大风速35米/秒（12级） → 最大风速三十五米每秒，十二级
阵风10～12级 → 阵风十到十二级
80公里/小时 → 八十公里每小时
时速20km/h → 时速二十公里每小时
风速（米/秒） → 风速，米每秒
2米 → 两米
2.5米 → 二点五米
水位3.25米 → 水位三点二五米
流量1200m³/s → 流量一千二百立方米每秒
中心气压965hPa → 中心气压九百六十五百帕
PM2.5浓度150微克/立方米 → P M二点五浓度一百五十微克每立方米
面积12km² → 面积十二平方公里
-3℃ → 零下三摄氏度
-3～5℃ → 零下三到五摄氏度
气温35℃ → 气温三十五摄氏度
零下5℃ → 零下五摄氏度
最低-3度 → 最低零下三度
湿度60% → 湿度百分之六十
50%～60% → 百分之五十到百分之六十
5-10% → 百分之五到百分之十
5‰ → 千分之五
≥50毫米 → 大于等于五十毫米
1/3 → 三分之一
3×5 → 三乘五
29.8°N，121.5°E → 北纬二十九点八度，东经一百二十一点五度
100年一遇 → 一百年一遇
第12号台风“海燕” → 第十二号台风海燕
请拨打119或120求助 → 请拨打幺幺九或幺二零求助
拨打12379 → 拨打幺二三七九
联系电话：13800138000 → 联系电话，幺三八零零幺三八零零零
+86 138-0013-8000 → 幺三八，零零幺三，八零零零
电话0574-87654321 → 电话零五七四，八七六五四三二幺
值班电话(0574)87654321 → 值班电话零五七四，八七六五四三二幺
400-800-1234 → 四零零，八零零，幺二三四
手机短号668899 → 手机短号六六八八九九
G329国道、104国道 → G三二九国道，幺零四国道
101室 → 幺零幺室
3号楼 → 三号楼
007 → 零零七
Ⅲ级/较重 → 三级，较重
[Ⅰ级/特别严重] → 一级，特别严重
IV级 → 四级
1.政府及相关部门；2.密切关注天气 → 第一，政府及相关部门。第二，密切关注天气
①转移②报告 → 第一，转移，第二，报告
（1）转移（2）报告 → 第一，转移，第二，报告
应急〔2026〕3号 → 应急二零二六三号
GPS定位 → G P S定位
SOS → S O S
NWS GreatFalls → N W S GreatFalls
FLASH FLOOD → FLASH FLOOD
Bft 8）大风 → Bft八，大风
053/055号文 → 零五三，零五五号文
Jürgen路 → Jürgen路
WiFi → WiFi
4S店 → 四S店
CO2泄漏 → C O二泄漏
快跑!!! → 快跑！
真的吗?! → 真的吗！
转移……快 → 转移。快
一、转移；二、报告 → 一，转移。二，报告
《防汛条例》 → 防汛条例
""".strip().splitlines()


@pytest.mark.parametrize(("written", "said"), [case.split(" → ") for case in CASES])
def test_a_written_warning_is_read_as_people_say_it(written: str, said: str) -> None:
    assert speak(written) == said


@pytest.mark.parametrize(
    ("written", "said", "left_out"),
    [
        ("详见 https://a.cn/r/x?y=1 。", "详见。", ("https://a.cn/r/x?y=1",)),
        ("发邮件到 a.b@c.gov.cn", "发邮件到", ("a.b@c.gov.cn",)),
        ("😀注意", "注意", ("😀",)),
        ("𠮷村", "村", ("𠮷",)),
        ("٣级", "级", ("٣",)),
    ],
)
def test_what_no_voice_can_say_is_left_out_and_named(written: str, said: str, left_out: tuple[str, ...]) -> None:
    assert speak(written) == said
    assert unspeakable(written) == left_out


@given(st.text(max_size=120))
@example("2026-13-45T99:99")
@example("99时99分")
@example("1/0")
@example("-.5～.℃%‰²①⑪")
def test_whatever_is_written_leaves_no_digit_and_no_symbol_to_guess(text: str) -> None:
    assert re.fullmatch(r"[\u3400-\u4dbf\u4e00-\u9fffA-Za-z\u00aa-\u024f ，。！？]*", speak(text))


@given(st.text(alphabet="0123456789.:-～/年月日时分点级℃%mk米户第共电话 ", max_size=40))
def test_any_mixture_of_numbers_and_units_is_read_without_an_error(text: str) -> None:
    assert not re.search(r"[0-9]", speak(text))
