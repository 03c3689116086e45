"""The house of one daohu process: what it holds open, and opening it. The composition root."""

from broadcaster.house.house import House
from broadcaster.house.opening import open_house, studio_of

__all__ = ["House", "open_house", "studio_of"]
