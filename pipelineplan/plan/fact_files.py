"""Which files of the real system a plan is held against, and who wins where they differ.

facts: [deploy/topics/*.yaml, deploy/flink-conf.yaml]            the plan's own values stand
facts: {files: [deploy/topics/*.yaml], prefer: facts}            those of the real system do
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelineplan.plan.section import Reference, Section


class FactFiles(Section):
    """Files of the real system; a plain list is its files."""

    files: tuple[Reference, ...] = Field(
        description="Files or globs, relative to the plan.", examples=[["kafka/*.yaml"]]
    )
    prefer: Literal["plan", "facts"] = Field(
        "plan", description="Whose value stands where both say one and they differ."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"files": value} if isinstance(value, list | tuple) else value
