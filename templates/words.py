"""How the lint recognises things in a text: times, actions, replies, colours, gaps that nobody filled."""

from __future__ import annotations

import re

from broadcaster.alerts.alert import Colour

TIME = {
    "zh-CN": re.compile(
        r"\d月\d{1,2}日|\d{1,2}[时点]|\d{1,2}[:：]\d{2}"
        r"|[一二三四五六七八九十]月[一二三四五六七八九十]+日|[零一二两三四五六七八九十]点"
    ),
    "en": re.compile(r"\d{1,2}:\d{2}|\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
}

ACTION = {
    "zh-CN": re.compile(
        r"转移|撤离|撤到|疏散|避险|避让|躲避|躲进|远离|离开|绕行|避开|关[好紧闭]|切断|停止|暂停|停[工课业航]|不要|切勿|请勿"
        r"|严禁|禁止|不得|减少|避免|加固|检查|巡查|值守|到岗|集合|集结|集中|待命|上岸|回港|防范|防护|防[寒暑火滑汛]|准备"
        r"|做好|清点|劝[离阻]|封[闭控]|报告|报到|返回|恢复|服从|听从|留在|待在|保持|节约|通风|救助|捂住|照[看顾]|备[好足]"
    ),
    "en": re.compile(
        r"\b(?:stay|leave|evacuate|move|keep|avoid|do not|don't|close|shut|stop|take|prepare|secure|check|return|report"
        r"|follow|notify|climb|walk|carry on|be ready|switch|turn|bring|cover|count|save|go to)\b",
        re.IGNORECASE,
    ),
}
"""Words that tell somebody to do something. What every layout says (请注意, 通知, reply) does not count."""

REPLY = {
    "zh-CN": re.compile(r"回复|按[1一]|点开|确认"),
    "en": re.compile(r"\b(?:reply|press|confirm)\b", re.IGNORECASE),
}

_NAMED = {
    "zh-CN": re.compile(
        r"([红橙黄蓝])色[\u4e00-\u9fff]{0,6}?(?:预警|警报|信号|响应|动员)|([红橙黄蓝])色(?=$|[，。；！、\s\[（(【])"
    ),
    "en": re.compile(r"\b(red|orange|yellow|blue)\b(?:\s+\w+){0,3}?\s+(?:warning|alert|signal|alarm)\b", re.IGNORECASE),
}
_COLOURS = {colour.chinese: colour for colour in Colour} | {colour.value: colour for colour in Colour}

GAP = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w*\}|\{[A-Za-z_]\w*\}|\{[\u4e00-\u9fff]{1,8}\}|%\(\w+\)s|<[\u4e00-\u9fff]{1,8}>"
    r"|[XＸ×]{2,}(?=[县区乡镇村街社组年月日时分米级毫人户号路])|_{3,}|＿{2,}"
    r"|[【\[（(](?:请填写|待填|待定|填写|地点|时间|单位|TODO|TBD)[^】\]）)]{0,8}[】\]）)]|(?<![A-Za-z])(?:TODO|TBD)(?![A-Za-z])"
)
"""A gap in the officer's text, or a template's mark, that nobody filled in."""


def colours_named(text: str, language: str) -> set[Colour]:
    """The warning colours that `text` speaks of (橙色预警, an orange alert); 黄色警戒线 is no warning's colour."""
    return {_COLOURS[name.lower()] for match in _NAMED[language].finditer(text) for name in match.groups() if name}
