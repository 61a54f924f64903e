"""One alerting rule of Prometheus: what it asks, for how long, and where its threshold is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelineplan.exchange.promql import duration, template
from pipelineplan.exchange.traced import Needs, Place, Traced


@dataclass(frozen=True)
class AlertRule:
    """A rule; `threshold` are the places that its numbers come from, `how` what was made of them.

    `watches` are series that must be there for it to fire at all. With `needs` it is written as a comment:
    what it would take to measure it.
    """

    name: str
    expr: str
    says: str
    signal: str
    threshold: tuple[Place, ...]
    how: str = ""
    lasting: Traced | None = None
    severity: Traced | None = None
    runbook: Traced | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    watches: tuple[str, ...] = ()
    needs: str = ""

    def watching(self, *series: str) -> AlertRule:
        """The same rule, which never fires where these series are not there."""
        return replace(self, watches=(*self.watches, *series))

    def tree(self, plan: str, team: Traced | None) -> Any:
        """The rule as it is written, or as the comment that says what it needs."""
        labels: dict[str, Any] = {
            **({"severity": self.severity.as_value(str(self.severity.value))} if self.severity else {}),
            "plan": template(plan),
            "signal": self.signal,
            **{name: template(value) for name, value in self.about.items()},
            **({"team": team.as_value(template(str(team.value)))} if team else {}),
        }
        paths = ", ".join(place.path for place in self.threshold)
        rule = {
            "alert": self.name,
            "expr": Traced(self.expr, self.threshold, self.how),
            **self._lasting(),
            "labels": labels,
            "annotations": {
                "summary": template(self.says),
                "threshold_from": template(f"{self.how}; {paths}" if self.how else paths),
                **self._runbook(),
            },
        }
        return Needs(rule, self.needs) if self.needs else rule

    def _lasting(self) -> dict[str, Traced]:
        if self.lasting is None:
            return {}
        return {"for": self.lasting.as_value(duration(float(self.lasting.value)))}

    def _runbook(self) -> dict[str, Traced]:
        if self.runbook is None:
            return {}
        return {"runbook_url": self.runbook.as_value(template(str(self.runbook.value)))}
