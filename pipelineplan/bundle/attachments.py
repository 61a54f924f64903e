"""The files of a bundle that other rooms write: curves and figures, the quality project, contracts.

simulation/figures.parquet, curves.parquet, <scenario>-<panel>.svg
quality/gx/...                 the runnable Great Expectations project, quality/results.json if data was given
event-time/beam.json           the plan's windows on Apache Beam, if data was given
contracts/...                  the contracts as the plan referred to them
operations/...                 topics, jobs, objectives and alerts in the formats of those tools
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipelineplan.bundle.contents import Contents
from pipelineplan.bundle.plots import as_plots, plot_name
from pipelineplan.documents.redaction import redacted
from pipelineplan.exchange.operations import operations
from pipelineplan.quality import gx_files, suites_of
from pipelineplan.simulation import SimulationResult, write_csv, write_parquet


def attachments(contents: Contents, as_of: datetime | None = None) -> dict[str, bytes]:
    """The attached files by their name in the bundle. Needs the extras `data` and `report`."""
    found: dict[str, bytes] = {}
    if contents.simulated is not None:
        found |= _simulation(contents.simulated)
    suites = suites_of(contents.plan, as_of)
    found |= {f"quality/gx/{name}": content for name, content in gx_files(suites).items()}
    if contents.quality is not None:
        text = json.dumps(contents.quality.to_json_dict(), indent=2, ensure_ascii=False)
        found["quality/results.json"] = redacted(text).encode() + b"\n"
    if contents.played is not None:
        text = json.dumps(contents.played.to_json_dict(), indent=2, ensure_ascii=False)
        found["event-time/beam.json"] = redacted(text).encode() + b"\n"
    found |= dict(_contracts(contents))
    exported = operations(contents.plan, contents.simulated)
    found |= {f"operations/{name}": file.text.encode() for name, file in exported.items()}
    return found


def _simulation(simulated: SimulationResult) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="pipelineplan-") as folder:
        files = [*write_parquet(simulated, Path(folder)), *write_csv(simulated, Path(folder))]
        found = {f"simulation/{file.name}": file.read_bytes() for file in files}
    for scenario in simulated.scenarios:
        for title, svg in as_plots(scenario):
            found[f"simulation/{plot_name(scenario, title)}.svg"] = svg.encode()
    return found


def _contracts(contents: Contents) -> Iterator[tuple[str, bytes]]:
    referred = [contents.plan.root.resolve(reference) for reference in contents.plan.contracts]
    recorded = [file for versions in contents.plan.versions.values() for file in versions.files]
    for file in dict.fromkeys((*referred, *recorded)):
        inside = file.relative_to(contents.plan.root.folder.resolve()).as_posix()
        yield f"contracts/{inside}", _without_secrets(file.read_bytes())


def _without_secrets(content: bytes) -> bytes:
    """A text without what looks like a secret; a compiled schema is no text and stays as it is."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content
    return redacted(text.replace("\r\n", "\n")).encode()
