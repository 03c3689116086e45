"""What a follower of the official account reads from us."""

from __future__ import annotations

NO_REGION = "您已关注。要让您家的预警发到这里，请扫描本村（社区）张贴的二维码；没有找到的，请问网格员或村委会。"
WELCOME_BACK = "您又关注了我们，您家的预警会重新发到这里。"
MOBILE_ONLY = "请发送手机号码：验证码要用短信发给它。家里只有座机的，请找网格员登记。"
NO_CARRIER = "现在不能发送验证短信，请过些时候再试，或找网格员登记。"
TOO_MANY_NUMBERS = "您今天试过的号码太多，请明天再试，或找网格员登记。"
TOO_MANY_TRIES = "验证码错得太多，已经作废。请重新发送手机号码。"
WRONG_CODE = "验证码不对。请核对短信里的 6 位数字再发一次，或重新发送手机号码。"
BOUND = "绑定成功。今后发给您家的预警也会发到这里。不想再收到，取消关注即可。"


def ask_number(place: str) -> str:
    """To who scanned the code of `place`."""
    return (
        f"您好！要把您家的预警发到这里，请直接发送{place}登记的您家的手机号码（11 位数字）。我们会给它发一条验证短信。"
    )


def bound_already(place: str) -> str:
    """To who scanned it again."""
    return f"您已绑定，{place}发给您家的预警会发到这里。"


def sent(place: str) -> str:
    """After a number, whether or not it is known."""
    return (
        f"如果这是{place}一户人家登记的手机，它马上会收到 6 位验证码，请在 10 分钟内把验证码发到这里。"
        "没有收到的，请核对号码，或找网格员登记。"
    )


def code(office: str, digits: str) -> str:
    """The text message with a code, signed by the office; in one part."""
    return f"【{office}】验证码{digits}，10分钟内有效，用于在微信里接收您家的预警。不是您家人在办的，请不要告诉别人。"
