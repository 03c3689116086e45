"""What the messages of a frame have in common is sent once: a mould of heads and tails around small personal parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def cast(messages: Sequence[Sequence[str]]) -> tuple[list[str], list[str], list[list[str]]]:
    """Heads, tails and what is left of each message between them; `pour` puts them together again.

    Messages are equally long sequences of parts; with unequal ones nothing is shared.
    """
    if not messages:
        return [], [], []
    if len({len(parts) for parts in messages}) != 1:
        longest = max(len(parts) for parts in messages)
        return [""] * longest, [""] * longest, [list(parts) for parts in messages]
    heads, tails, columns = [], [], []
    for column in zip(*messages, strict=True):
        head = common_head(column)
        tail = common_tail(column, len(head))
        first, last = len(head), len(tail)
        heads.append(head)
        tails.append(tail)
        columns.append([part[first : len(part) - last] for part in column])
    return heads, tails, [list(parts) for parts in zip(*columns, strict=True)] if columns else [[] for _ in messages]


def pour(heads: Sequence[str], tails: Sequence[str], parts: Sequence[str]) -> list[str]:
    """The message whose personal parts are `parts`."""
    return [head + part + tail for head, part, tail in zip(heads, parts, tails, strict=False)]


def common_head(texts: Sequence[str]) -> str:
    """The longest text that all of `texts` begin with."""
    first, last = min(texts), max(texts)  # whatever these two share, everything between them shares
    return first[: _longest(min(len(first), len(last)), lambda size: last.startswith(first[:size]))]


def common_tail(texts: Sequence[str], head: int = 0) -> str:
    """The longest text that all of `texts` end with and that does not reach into their first `head` characters."""
    tail = texts[0][head:]
    for text in texts:
        if not text.endswith(tail) or len(text) < head + len(tail):
            room = min(len(tail), len(text) - head)
            tail = tail[len(tail) - _longest(room, _ends_alike(text, tail)) :]
    return tail


def _ends_alike(text: str, tail: str) -> Callable[[int], bool]:
    return lambda size: text.endswith(tail[len(tail) - size :])


def _longest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest size up to `most` that fits, where every smaller size fits as well."""
    if fits(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low
