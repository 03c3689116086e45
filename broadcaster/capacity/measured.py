"""What one machine with workers and database carries, as it was measured; a forecast goes no higher.

The figures are those of the table under "The whole path" in docs/performance.md (1,000,000 recipients, one worker, two
cores, embedded PostgreSQL, nothing else to do), rounded down. Another machine's are found with `daohu bench dispatch`.
"""

from __future__ import annotations

SOURCE = "docs/performance.md#the-whole-path"

PLANNED_PER_S = 35_000.0
"""Deliveries per second that are planned: targets, deliveries and batches written."""

SUBMITTED_PER_S = 30_000.0
"""Messages per second that are rendered, sent, and whose results are stored, over all gateways."""

FIRST_SUBMIT = 1.0
"""Seconds from the issue until the first message is at a gateway."""

ANSWER = 0.05
"""Seconds that a gateway takes to answer, where nobody has measured it: it costs a twentieth of the rate."""
