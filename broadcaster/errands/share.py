"""What errands need of a worker: somebody who does them."""

from __future__ import annotations

from functools import partial

from broadcaster.errands import carrier
from broadcaster.errands.carrier import Means
from broadcaster.share import Share


def share(means: Means, owner: str) -> Share:
    """Does errands in the name of `owner`."""
    return Share(tended={"errands": partial(carrier.work, means, owner)})
