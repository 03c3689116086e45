"""The canonical form of a reply: the same meaning, however it was decorated.

Full-width and circled digits, traditional characters, emoji, brackets, blanks and punctuation are brought to one plain
form. What may turn a meaning round (a question mark, a thumb down, a crossed-out figure) is noticed on the way.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 1000
"""Characters of a reply that are read; a longer one is somebody's letter."""

# The characters of our vocabulary that traditional writing has differently (Hong Kong and Taiwan phones, old habits).
_TRADITIONAL = str.maketrans(
    "確認轉離組織準備開經這們來後風險車幫傷緊電話請無個隊員戶萬羣處執達報點遠時結會訊實沒不別誰對現動緩長書記網絡鎮鄉區領導謝辛勞證務將師讀過馬學從與爲關閉檢發戰況異產邊總計兩億餘約數復覆內聽圍壹於麼嗎當眾衆陸續護廣擴響傳屬門縣們應種間難樓層綫線災給運撤營援單類視頻軍調",
    "确认转离组织准备开经这们来后风险车帮伤紧电话请无个队员户万群处执达报点远时结会讯实没不别谁对现动缓长书记网络镇乡区领导谢辛劳证务将师读过马学从与为关闭检发战况异产边总计两亿余约数复复内听围一于么吗当众众陆续护广扩响传属门县们应种间难楼层线线灾给运撤营援单类视频军调",
)

# WeChat writes its own emoticons as words in brackets.
_FRIENDLY_EMOTICON = re.compile(
    r"\[(?:强|抱拳|玫瑰|ok|握手|合十|爱心|微笑|憨笑|呲牙|愉快|敬礼|加油|鼓掌|太阳|庆祝|好的)\]"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d)\s*[人名户余多])")
_LEADING_MINUS = re.compile(r"^\W*[-\u2212](?=\d)")

_UNFRIENDLY = frozenset("?¿؟❓❔%‰°👎❌❎✖✕✗✘🚫⛔🙅🙈🤷🤔😡😠")
_HARMLESS_SYMBOLS = frozenset("+~|^`")
_SOS = "🆘"


@dataclass(frozen=True, slots=True)
class Canonical:
    """`compact` has blanks only between digits or Latin words; `spaced` has one wherever something stood between.

    `doubtful`: it asks, negates by a sign, or holds figures of another kind (money, shares, formulas).
    """

    compact: str
    spaced: str
    doubtful: bool


def canonical(text: str) -> Canonical:
    """The canonical form of at most the first `LONGEST` characters; never raises."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST].replace(_SOS, " sos ")).casefold().translate(_TRADITIONAL)
    folded = _THOUSANDS.sub("", _FRIENDLY_EMOTICON.sub(" ", folded))
    doubtful = len(text) > LONGEST or bool(_LEADING_MINUS.match(folded))  # what was cut off may turn it round
    pieces: list[str] = []
    apart = False
    for character in folded:
        category = unicodedata.category(character)
        if category[0] in "LN":
            if apart and pieces:
                pieces.append(" ")
            pieces.append(character)
            apart = False
        elif not _silent(character, category):
            apart = True
            doubtful = doubtful or _turns(character, category)
    spaced = "".join(pieces)
    return Canonical(_compact(spaced), spaced, doubtful)


def _silent(character: str, category: str) -> bool:
    """Marks that only say how the character before is drawn."""
    return category == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _turns(character: str, category: str) -> bool:
    if character in _UNFRIENDLY or category == "Sc":
        return True
    if category == "Sm":
        return character not in _HARMLESS_SYMBOLS
    return category[0] == "M" and character != "\u20e3"  # a keycap is a frame, any other mark may strike out


_BETWEEN_WORDS = re.compile(r"(?<=[0-9a-z]) (?=[0-9a-z])")


def _compact(spaced: str) -> str:
    return _BETWEEN_WORDS.sub("\0", spaced).replace(" ", "").replace("\0", " ")
