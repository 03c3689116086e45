"""A believable district from a seed, for demonstrations and tests: `plan` it, then `store` or `write` it."""

from audiences.generator.district import District, plan
from audiences.generator.files import write
from audiences.generator.storing import store

__all__ = ["District", "plan", "store", "write"]
