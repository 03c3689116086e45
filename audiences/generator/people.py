"""Invented people and their addresses: well-formed, unique, and impossible to be anybody's."""

from __future__ import annotations

import random

# No carrier in mainland China has been given the numbers that start with 154.
PHONE_PREFIX = "154"
# RFC 2606: never a real mail domain.
MAIL_DOMAIN = "mail.example"

_NUMBERS = 100_000_000
# Coprime to the count of numbers, so that the sequence meets each number once before it repeats.
_STRIDE = 38_196_601

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁沈任姚卢俞史忻邬"
)
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国志文斌宇浩然欣怡子涵梓萱雨晨佳琪海燕春梅永康福根"


def phone(number: int) -> str:
    """The `number`th fictitious mobile number; all different for numbers below 100 million."""
    return f"{PHONE_PREFIX}{number * _STRIDE % _NUMBERS:08d}"


def wechat(number: int) -> str:
    """The `number`th fictitious openid: 28 characters, as the platform's own."""
    return f"oDaohuRehearsal{number:013d}"


def follower(number: int) -> str:
    """The `number`th fictitious openid of somebody on duty."""
    return f"oDaohuOfficial{number:014d}"


def member(number: int) -> str:
    """The `number`th fictitious member of the office's WeCom."""
    return f"wecom:official{number}"


def email(number: int) -> str:
    """The `number`th fictitious mail address."""
    return f"resident{number}@{MAIL_DOMAIN}"


def name(rng: random.Random) -> str:
    """A surname and one or two characters."""
    pick = rng.random
    given = _GIVEN[int(pick() * len(_GIVEN))]
    if pick() < 0.75:
        given += _GIVEN[int(pick() * len(_GIVEN))]
    return _SURNAMES[int(pick() * len(_SURNAMES))] + given
