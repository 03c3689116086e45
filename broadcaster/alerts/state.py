"""The stations of an alert on its way from a draft to its end."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """草稿 → 待审 → 已批 → 已发 → 已结束; a rejected one goes back to its author."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    ISSUED = "issued"
    ENDED = "ended"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        """The word shown to users."""
        return _CHINESE[self]


_CHINESE = dict(zip(State, ("草稿", "待审核", "已批准", "已发布", "已结束", "已退回"), strict=True))
