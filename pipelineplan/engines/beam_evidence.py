"""What a bundle knows of the plan's windows on Apache Beam: what was played, and why the rest was not.

    orders -> minute-mart      the first 1,000 records in 300 windows, as predicted
    customers                  not played: no stage below 'customers' has a window

It is played where recorded events of a source are given and the extra `beam` is installed. Where it
cannot be, the reason is said, and nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.engines.beam import Preview, preview_of
from pipelineplan.engines.beam_plan import cases_of
from pipelineplan.engines.beam_records import read_rows
from pipelineplan.errors import InputError, MissingExtraError, PipelinePlanError
from pipelineplan.plan import Plan

# A bundle is made often: what is played for it takes a second or two.
MOST_RECORDS = 1_000


@dataclass(frozen=True)
class PlayedOnBeam:
    """The previews of every source with data; `not_played` says of each other window why."""

    previews: tuple[Preview, ...] = ()
    not_played: tuple[str, ...] = ()

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data, the same for the same records."""
        return {
            "previews": [preview.to_json_dict() for preview in self.previews],
            "not_played": list(self.not_played),
        }


def play_on_beam(
    plan: Plan, data: Mapping[str, Path], progress: Callable[[str], None] | None = None
) -> PlayedOnBeam:
    """Play the first records of each source of `plan` in `data`, files by the names of sources."""
    show = progress or (lambda _: None)
    sources = {name for source in plan.model.sources for name in (source.id, source.dataset) if name}
    previews: list[Preview] = []
    not_played: list[str] = []
    for name in sorted(data.keys() & sources):
        try:
            for case in cases_of(plan, {name: data[name]}):
                show(f"playing {case.stage} on Apache Beam")
                previews.append(preview_of(case, read_rows(case, MOST_RECORDS)))
        except MissingExtraError as error:
            not_played.append(f"{name}: {error}")
        except InputError as error:
            not_played.append(f"{name}: {'; '.join(problem.message for problem in error.problems)}")
        except PipelinePlanError as error:
            not_played.append(f"{name}: {error}")
    return PlayedOnBeam(tuple(previews), tuple(not_played))
