"""A few counters in Prometheus' text format: requests by route and status, how long they took, who watches live."""

from __future__ import annotations

from collections import Counter


class Metrics:
    """This process's counters, from its start."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self.watchers = 0

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that has been answered."""
        known = method if method in _METHODS else "OTHER"  # a stranger's words must not become labels
        self._requests[known, route, status] += 1
        self._seconds[route] += seconds  # type: ignore[assignment]  # typeshed knows counters of whole numbers only

    def text(self, gauges: dict[str, float]) -> str:
        """Everything in the exposition format, `gauges` too (name → value)."""
        lines = ["# TYPE daohu_http_requests_total counter"]
        lines += [
            f'daohu_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(self._requests.items())
        ]
        lines.append("# TYPE daohu_http_request_seconds_total counter")
        lines += [
            f'daohu_http_request_seconds_total{{route="{route}"}} {seconds:.6f}'
            for route, seconds in sorted(self._seconds.items())
        ]
        for name, value in {"daohu_live_watchers": float(self.watchers), **gauges}.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"


METRICS = Metrics()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
