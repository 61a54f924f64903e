"""The Final Data Plan Bundle: compiled from a plan and its evidence, written whole, verified, compared.

Importing this room loads no plotting library: that comes with the first curve that is drawn.
"""

from pipelineplan.bundle.as_checklist_md import as_checklist_md
from pipelineplan.bundle.as_html import as_html
from pipelineplan.bundle.as_json import as_json
from pipelineplan.bundle.as_junit import as_junit
from pipelineplan.bundle.as_markdown import as_markdown
from pipelineplan.bundle.as_sarif import as_sarif
from pipelineplan.bundle.checklist import Checklist, Step
from pipelineplan.bundle.contents import Contents, compile_contents
from pipelineplan.bundle.difference import Difference, Side, compare
from pipelineplan.bundle.manifest import verify
from pipelineplan.bundle.resolved import as_resolved
from pipelineplan.bundle.writing import WRITERS, render, write_bundle

__all__ = [
    "WRITERS",
    "Checklist",
    "Contents",
    "Difference",
    "Side",
    "Step",
    "as_checklist_md",
    "as_html",
    "as_json",
    "as_junit",
    "as_markdown",
    "as_resolved",
    "as_sarif",
    "compare",
    "compile_contents",
    "render",
    "verify",
    "write_bundle",
]
