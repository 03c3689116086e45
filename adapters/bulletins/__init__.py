"""What the services that pass on the meteorological offices' warnings have in common: short bulletins in JSON, one
entry a warning, the danger and its level in the title."""

from adapters.bulletins.bulletin import Bulletin, judged
from adapters.bulletins.dialect import BulletinDialect, BulletinOptions

__all__ = ["Bulletin", "BulletinDialect", "BulletinOptions", "judged"]
