"""Redis, as a doorbell only: it says "look", and it carries the jobs that may as well be found by looking.

Nothing is kept there that the database does not know. When Redis is down, empty or slow, ringing does nothing,
listening wakes at its own pace, and everything still works, a little later. `arq` is used in this package only.
"""

from broadcaster.doorbell.bell import Doorbell, Ear
from broadcaster.doorbell.jobs import Job, JobQueue, run_jobs

WORK = "work"
"""The topic that everyone who works listens to: there may be something to send or to do."""

__all__ = ["WORK", "Doorbell", "Ear", "Job", "JobQueue", "run_jobs"]
