from broadcaster.rehearsal.cast import CAST
from broadcaster.rehearsal.script import Fronts


def test_the_cast_plays_every_front_that_a_script_may_have() -> None:
    assert set(CAST) == set(Fronts.__struct_fields__)
