"""The office in whose name messages go out."""

from __future__ import annotations

from dataclasses import dataclass

from templates.language import Language


@dataclass(frozen=True, slots=True)
class Issuer:
    """`name` signs every message (鄞州区应急管理局); `english` where English text is sent, else `name`.

    `district` stands for the place where a recipient has none; `hotline` is the number to call for help,
    empty if none is to be told.
    """

    name: str
    district: str
    english: str = ""
    english_district: str = ""
    hotline: str = "119"

    def signature(self, language: Language) -> str:
        return self.english or self.name if language.tag == "en" else self.name

    def place(self, language: Language) -> str:
        return self.english_district or self.district if language.tag == "en" else self.district
