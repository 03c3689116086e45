"""The quick curve is the curve: its multiples are those of the library's slow one."""

from __future__ import annotations

from gmalg.ellipticcurve import ECDLP
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.loudspeaker.signing.curve import BASE, A, B, N, P, Sm2Curve

QUICK, SLOW = Sm2Curve(), ECDLP(P, A, B, BASE, N)


@settings(max_examples=20)
@given(st.integers(1, N - 1))
@example(1)
@example(15)
@example(16)
@example(N - 1)
def test_multiples_of_the_base_point_are_the_same(k: int) -> None:
    assert QUICK.kG(k) == SLOW.kG(k)


@settings(max_examples=20)
@given(st.integers(1, N - 1), st.integers(1, N - 1))
@example(2, 1)
@example(N - 1, N - 1)
def test_multiples_of_any_point_are_the_same(k: int, of: int) -> None:
    point = QUICK.kG(of)
    assert QUICK.ec.isvalid(point)
    assert QUICK.ec.mul(k, point) == SLOW.ec.mul(k, point)


def test_as_many_times_as_there_are_points_leads_nowhere() -> None:
    assert QUICK.kG(N) == QUICK.kG(0) == QUICK.ec.mul(N, BASE) == QUICK.ec.INF
    assert QUICK.ec.mul(N + 1, BASE) == BASE
