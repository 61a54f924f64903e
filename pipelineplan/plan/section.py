"""What every section of a plan is made of: frozen models, and quantities with their dimension.

capacity: 3_500/s ± 5 %      RecordRate   -> 3500.0, somewhere in 3325.0 .. 3675.0
retention: 7 d               Duration     -> 604800.0
keys: 40_000_000             Count        -> 40000000
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, Strict, WithJsonSchema

from pipelineplan.quantities import Dimension, Quantity, parse
from pipelineplan.quantities.units import EXAMPLES


class Section(BaseModel):
    """A mapping of the plan with known keys only; every section may carry an owner's notes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    notes: str | None = Field(None, description="Free text for people; nothing is computed from it.")


def _reads(dimension: Dimension) -> Callable[[Any], Quantity]:
    def read(value: Any) -> Quantity:
        quantity = parse(value, dimension)
        if dimension is Dimension.SHARE and quantity.high > 1:
            raise ValueError(f"found {quantity.text!r}, wanted a share of at most 100 %")
        return quantity

    return read


def _described(dimension: Dimension) -> dict[str, Any]:
    examples = list(EXAMPLES[dimension])
    kinds = ["string", "number"] if dimension is Dimension.SHARE else ["string"]
    return {
        "type": kinds,
        "examples": examples,
        "description": f"A {dimension.name.lower()}, for example {', '.join(examples)}.",
    }


Duration = Annotated[
    Quantity, PlainValidator(_reads(Dimension.DURATION)), WithJsonSchema(_described(Dimension.DURATION))
]
RecordRate = Annotated[
    Quantity, PlainValidator(_reads(Dimension.RATE)), WithJsonSchema(_described(Dimension.RATE))
]
Size = Annotated[Quantity, PlainValidator(_reads(Dimension.SIZE)), WithJsonSchema(_described(Dimension.SIZE))]
Bandwidth = Annotated[
    Quantity, PlainValidator(_reads(Dimension.BANDWIDTH)), WithJsonSchema(_described(Dimension.BANDWIDTH))
]
Share = Annotated[
    Quantity, PlainValidator(_reads(Dimension.SHARE)), WithJsonSchema(_described(Dimension.SHARE))
]
Growth = Annotated[
    Quantity, PlainValidator(_reads(Dimension.GROWTH)), WithJsonSchema(_described(Dimension.GROWTH))
]

Count = Annotated[int, Strict(), Field(ge=0, le=10**18)]
AtLeastOne = Annotated[int, Strict(), Field(ge=1, le=10**9)]
Number = Annotated[float, Strict(), Field(ge=0, le=1e30, allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=120)]
Reference = Annotated[str, Field(min_length=1, max_length=1000, description="A file, relative to the plan.")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="A date, YYYY-MM-DD.")]


def shorthand(value: Any, key: str) -> Any:
    """`8` for `{key: 8}`: lets the short form of a section stand for its one essential key."""
    return value if isinstance(value, dict | Section) or value is None else {key: value}
