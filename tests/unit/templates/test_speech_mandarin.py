"""What a voice says for what a warning writes."""

from __future__ import annotations

import re
from pathlib import Path

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
23日20时-24日08时 → 二十三日晚上八点到二十四日上午八点
8月1日8:00-8月3日20:00 → 八月一日上午八点整到八月三日晚上八点整
11月30日—12月2日 → 十一月三十日到十二月二日
20:00-次日8:00 → 晚上八点整到次日上午八点整
10时30分-12时 → 上午十点三十分到中午十二点
10:00~12:00 → 上午十点整到中午十二点整
08—20时 → 上午八点到晚上八点
请于11/23 21:30前撤离 → 请于十一月二十三日晚上九点三十分前撤离
6:30 PM前 → 晚上六点三十分前
00:00 → 凌晨零点整
23:59 → 晚上十一点五十九分
08:05:30 → 上午八点零五分
12点45 → 中午十二点四十五分
2点 → 两点
2点半 → 凌晨两点半
2点5 → 二点五
'98年 → 九八年
1980年代 → 一九八零年代
8级～10级 → 八级到十级
8-9级阵风10-11级 → 八到九级阵风十到十一级
偏北风4～5级转6～7级 → 偏北风四到五级转六到七级
最大风力达13级(38.5米/秒) → 最大风力达十三级，三十八点五米每秒
风速17.2～20.7m/s → 风速十七点二到二十点七米每秒
－5～－2℃ → 零下五到零下二摄氏度
-8℃~-5℃ → 零下八到零下五摄氏度
最低气温零下3～零下5℃ → 最低气温零下三到零下五摄氏度
气温-3.5℃ → 气温零下三点五摄氏度
38.5°C → 三十八点五摄氏度
增长-5% → 增长负百分之五
12.5%-15% → 百分之十二点五到百分之十五
100.5毫米 → 一百点五毫米
0.1mm → 零点一毫米
100—150毫米 → 一百到一百五十毫米
日雨量≥250mm → 日雨量大于等于两百五十毫米
降水100mm/24h → 降水一百毫米每二十四小时
单位：mm → 单位，毫米
降水量(mm) → 降水量，毫米
流量（m³/s） → 流量，立方米每秒
流量12500m³/s → 流量一万二千五百立方米每秒
980hPa → 九百八十百帕
能见度＜200m → 能见度小于两百米
3㎡ → 三平方米
20mg/L → 二十毫克每升
110kV → 一百一十千伏
东经121°30′15″ → 东经一百二十一度三十分十五秒
E121.5°，N29.8° → 东经一百二十一点五度，北纬二十九点八度
1:1000 → 一比一千
比分3:2 → 比分三比二
1∶500 → 一比五百
3/4以上 → 四分之三以上
½ → 二分之一
2.5万亩 → 二点五万亩
1.2亿元 → 一点二亿元
￥200元 → 两百元
$1.5万 → 一点五万美元
500元/户 → 五百元每户
2遍 → 两遍
2人 → 两人
2级风 → 二级风
2周 → 两周
2月2日 → 二月二日
2222 → 两千二百二十二
12222人 → 一万二千二百二十二人
10086人 → 一万零八十六人
10086 → 幺零零八六
96110 → 九六幺幺零
95598 → 九五五九八
119、120 → 幺幺九，幺二零
值班电话：88220119 → 值班电话，八八二二零幺幺九
12345678元 → 一千二百三十四万五千六百七十八元
0574-8888 6666 → 零五七四，八八八八，六六六六
0574－87654321 → 零五七四，八七六五四三二幺
电话（0574）87654321转8001 → 电话零五七四，八七六五四三二幺转八零零幺
400-123-4567 → 四零零，幺二三，四五六七
13800001111 → 幺三八零零零零幺幺幺幺
中山路128号 → 中山路幺二八号
人民路15弄3号 → 人民路十五弄三号
2号楼2单元202室 → 二号楼二单元二零二室
3幢2单元501室 → 三幢二单元五零幺室
3号-101室 → 三号，幺零幺室
3#楼 → 三号楼
3#-5#楼 → 三号到五号楼
-1层 → 负一层
地下-2层 → 地下二层
第2组 → 第二组
1、2、3号楼 → 一，二，三号楼
1-3号楼 → 一到三号楼
G15高速K1234+500处 → G幺五高速K幺二三四加五零零处
G1523 → G幺五二三
X302县道 → X三零二县道
318国道 → 三幺八国道
GB/T 35561 → G B T三五五六幺
甬气发〔2026〕3号 → 甬气发二零二六三号
No.12 → 第十二号
台风“海葵”（2311） → 台风海葵，二三一一
今年第2305号台风 → 今年第二三零五号台风
7·20特大暴雨 → 七二零特大暴雨
“5.12”地震 → 五一二地震
RED预警 → 红色预警
红色(Ⅰ级)预警信号 → 红色，一级，预警信号
PM2.5 → P M二点五
5G基站 → 五G基站
T2航站楼 → T二航站楼
⑫ → 第十二
㈠ → 第一
⒈ → 第一
00123 → 零零一二三
1234567890123 → 一二三四五六七八九零一二三
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


WARNINGS = st.text(
    alphabet="0123456789.:-～/%℃°'#()（）“”，。、年月日时点分级米毫每户室号楼路第转到至零下电话预警重庆两mkhKGNE ",
    max_size=60,
)


@given(st.text(max_size=120) | WARNINGS)
@example("1 1")
def test_what_was_read_is_read_the_same_again(text: str) -> None:
    once = speak(text)
    assert speak(once) == once


TURNED = frozenset("时分至〇年月日号点度零下负地元")
"""Characters that numbers around them may turn into others: 8时 is 八点, 至 between numbers 到, -3度 零下三度."""


@given(st.text(max_size=120) | WARNINGS)
def test_no_chinese_character_is_lost(text: str) -> None:
    said = iter(speak(text))
    kept = [one for one in re.findall("[\u3400-\u4dbf\u4e00-\u9fff]", text) if one not in TURNED]
    assert all(one in said for one in kept)


@given(st.text(alphabet="0123456789.:-～/年月日时分点级℃%mk米户第共电话 ", max_size=40))
def test_any_mixture_of_numbers_and_units_is_read_without_an_error(text: str) -> None:
    assert not re.search(r"[0-9]", speak(text))


def test_the_examples_of_the_document_are_true() -> None:
    document = (Path(__file__).resolve().parents[3] / "templates" / "README.md").read_text(encoding="utf-8")
    table = document.partition("| 写 | 念 |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) == 10
    for written, said in rows:
        assert speak(written) == said
