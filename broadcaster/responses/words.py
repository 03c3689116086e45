"""The closed vocabulary of an acknowledgement, in simplified characters and lower case.

A reply acknowledges only when *all* of it is made of these words, so that nothing unforeseen can turn it round: there
is no negation, no question and no condition among them. A word that is missing costs one escalation; a word too many
costs a village that nobody warned.
"""

from __future__ import annotations

from enum import Enum, auto


class Word(Enum):
    """What a word does in a reply."""

    ACKNOWLEDGE = auto()  # enough by itself
    DONE = auto()  # done, or under way to be: makes a report of a deed
    NOW = auto()  # being done, or about to be
    MOVE = auto()  # a deed that takes people elsewhere: numbers beside it are people moved
    DEED = auto()  # any other deed
    PLAIN = auto()  # says nothing either way
    PEOPLE = auto()  # counts people, after a number
    HOMES = auto()  # counts homes, after a number


_WORDS: dict[Word, str] = {
    Word.ACKNOWLEDGE: """
        收到 已收到 已经收到 均已收到 都已收到 确认收到 收到确认 确认 已确认 收悉 已收悉 知悉 已知悉 知道了 已知道
        明白 了解 已了解 好的 遵命 照办 ok okay received confirm confirmed roger acknowledged ack
    """,
    Word.DONE: "已 已经 均已 都已 完成 完毕 结束 到位 了 啦 全部完成",
    Word.NOW: "正在 正 在 中 马上 立即 立刻 现在 开始 准备 即将 抓紧 全力 尽快 随即",
    Word.MOVE: "转移 撤离 疏散 安置 转移安置 转运 撤出 转出 转走 撤走",
    Word.DEED: """
        组织 安排 通知 落实 部署 巡查 排查 处置 处理 执行 传达 行动 出发 值守 值班 待命 随时待命 广播 喊话 敲门 入户
        转告 通报 集合 前往 赶往 动员 清点 核实 上报 到岗 转发 布置 检查 关停 封路 清理 加固 开展 进行 劝导 劝离
    """,
    Word.PLAIN: """
        我 我们 本人 我村 本村 我们村 咱村 我社区 本社区 我街道 本街道 我镇 本镇 我网格 本网格 我处 我方 我这边 这边
        村里 村委 村委会 社区 网格 全村 全体 全员 大家 各组 各网格 各小组 目前 刚 刚刚 全部 所有 均 都 共 共计 合计 总共
        累计 约 近 其中 还 并 和 及 以及 到户 到人 逐户 每户 挨家挨户 到 至 往 哈 喽 好 回复
        预警 预警信息 信息 短信 消息 指令 命令 动员令 电话 语音 警报 群众 村民 居民 人员 老人 小孩 儿童 孕妇 住户 家庭
        危房 低洼 地段 地带 点位 避灾点 安置点 避灾安置点 避难所 学校 小学 隐患 隐患点 河道 山塘 水库
        巡查员 网格员 网格长 党员 干部 队伍 队员 应急 物资 工作 区域 辖区 危险 危险区域 相关 有关
        谢谢 感谢 辛苦了 辛苦 请放心 放心 领导 报告 您好 你好 注意安全 保证完成任务 坚决执行 坚决落实 一切正常 情况正常
        正常 平安 安全 无人员伤亡 无人伤亡 无伤亡 无异常 无险情
    """,
    Word.PEOPLE: "人 名 位 口 个人 余人 多人 余名 多名 人次",
    Word.HOMES: "户 家 余户 多户",
}

VOCABULARY: dict[str, Word] = {word: kind for kind, words in _WORDS.items() for word in words.split()}

LONGEST_WORD = max(map(len, VOCABULARY))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# "钟家村收到": whoever answers may say first who it is. A title or place ends it; none of these words is in it.
PLACES_AND_TITLES = "村|社区|街道|镇|乡|网格|书记|村长|主任|支书|网格长|网格员|组长|队长|站长|同志"
NEVER_IN_A_NAME = _listed("""
    没 未 不 无 勿 别 非 否 拒 吗 么 呢 吧 嘛 谁 哪 啥 怎 何时 何地 为何 如何 几个 几点 多少 错误 虚假 假的
    如果 假如 若是 要是 有的 有些 有人 只有 还有 其他 其它 其余 所有 每个 除了
    等 让 叫 请 听说 据说 以为 说 问 告诉 希望 应该 骗
""")

# A cry for help counts wherever it stands in a reply, unless it is turned round just before.
HELP = _listed("""
    求助 求救 救命 救我 救救 呼救 帮帮我 快来救 快来人 来人救
    需要帮助 需要帮忙 需要支援 需要救援 需要救助 需要增援 需要转移 需支援 需救援 需帮助 要支援 要救援
    请求支援 请求救援 请求帮助 请求增援 请求援助
    请帮忙 请帮助 请支援 请救援 快救人 急需帮助 急需支援 急需救援
    被困 困住 被水围 被埋 受伤 走不动 出不去 动不了
""")
HELP_LATIN = ("help", "sos", "s o s", "trapped", "rescue")
UNHEARD = _listed("没人救 没有人救 无人救 没人来救 没有人来救 没有救援 没人帮")
"""Not turned round but worse: nobody has come."""
TURNED_ROUND = _listed("""
    不需要 不需 不用 不必 不 没有人 没有 没人 没 无人员 无人 无需 无 未 别 勿 非 免 谢绝 救出 解救 营救
""")
TURNED_ROUND_LATIN = ("no", "not", "don t", "doesn t", "without")
