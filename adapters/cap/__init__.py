"""CAP, the Common Alerting Protocol: reading 1.0 to 1.2, writing 1.2, and judging files and feeds.

`read(data)` gives an `Alert` or an `InputError`; `write(alert)` gives CAP 1.2 XML; `judge(path)` says what a file is
worth and why. XML is taken as hostile until shown otherwise (`xml.py`).
"""

from adapters.cap.judge import Judgement, judge, judge_all, summary
from adapters.cap.read import read
from adapters.cap.write import write
from broadcaster.sources import Verdict

__all__ = ["Judgement", "Verdict", "judge", "judge_all", "read", "summary", "write"]
