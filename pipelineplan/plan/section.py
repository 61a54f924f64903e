"""What every section of a plan is made of: frozen models, and quantities with their dimension.

capacity: 3_500/s ± 5 %      RecordRate   -> 3500.0, somewhere in 3325.0 .. 3675.0
retention: 7 d               Duration     -> 604800.0
keys: 40_000_000             Count        -> 40000000
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import core_schema

from pipelineplan.quantities import Dimension, Quantity, parse
from pipelineplan.quantities.units import EXAMPLES


class Section(BaseModel):
    """A mapping of the plan with known keys only; every section may carry an owner's notes."""

    # One validator is built for the whole plan when the first is read, not one for each section at import.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    notes: str | None = Field(
        None, description="Free text for people; nothing is computed from it.", examples=["ask team-orders"]
    )


# What an editor says of a quantity's units; `UNITS` knows more spellings than anybody wants to read.
_UNITS = {
    Dimension.DURATION: "ms, s, min, h, d or as PT15M",
    Dimension.RATE: "records/s, /min, /h or /d, as 45_000/s or 2.7M/min, uncertain as 3_500/s ± 5 %",
    Dimension.SIZE: "B, kB, MB, GB, TB or KiB, MiB, GiB, TiB",
    Dimension.BANDWIDTH: "B, kB, MB or GB per s, min or h",
    Dimension.SHARE: "%, ppm or as a factor from 0 to 1",
    Dimension.GROWTH: "%/d, %/week, %/month or %/year",
}


def _bare(example: str) -> str | float:
    """An example as YAML reads it without quotes: 0.021 is a number."""
    try:
        return float(example)
    except ValueError:
        return example


@dataclass(frozen=True)
class _Reads:
    """Tells pydantic how a quantity of one dimension is read, and editors what it looks like."""

    dimension: Dimension

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        share = self.dimension is Dimension.SHARE
        return {
            "type": ["string", "number"] if share else "string",
            "examples": [_bare(example) for example in EXAMPLES[self.dimension]],
            "description": f"A {self.dimension.name.lower()}, in {_UNITS[self.dimension]}.",
        }

    def read(self, value: Any) -> Quantity:
        """The quantity that `value` writes; `QuantityError` says what is wrong with it."""
        quantity = parse(value, self.dimension)
        if self.dimension is Dimension.SHARE and quantity.high > 1:
            raise ValueError(f"found {quantity.text!r}, wanted a share of at most 100 %")
        return quantity


Duration = Annotated[Quantity, _Reads(Dimension.DURATION)]
RecordRate = Annotated[Quantity, _Reads(Dimension.RATE)]
Size = Annotated[Quantity, _Reads(Dimension.SIZE)]
Bandwidth = Annotated[Quantity, _Reads(Dimension.BANDWIDTH)]
Share = Annotated[Quantity, _Reads(Dimension.SHARE)]
Growth = Annotated[Quantity, _Reads(Dimension.GROWTH)]


@dataclass(frozen=True, eq=False)
class _Is:
    """Tells pydantic outright what is read; from bounds it would work that out anew for each of 600 keys."""

    schema: core_schema.CoreSchema

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return self.schema


Count = Annotated[int, _Is(core_schema.int_schema(strict=True, ge=0, le=10**18))]
AtLeastOne = Annotated[int, _Is(core_schema.int_schema(strict=True, ge=1, le=10**9))]
Number = Annotated[float, _Is(core_schema.float_schema(strict=True, ge=0, le=1e30, allow_inf_nan=False))]
Flag = Annotated[bool, _Is(core_schema.bool_schema(strict=True))]
Text = Annotated[str, _Is(core_schema.str_schema(min_length=1, max_length=20_000))]
Name = Annotated[str, _Is(core_schema.str_schema(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=120))]
Reference = Annotated[str, Field(min_length=1, max_length=1000, description="A file, relative to the plan.")]


def _in_the_calendar(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"found {text!r}, which is no day of the calendar") from None
    return text


Day = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="A date, YYYY-MM-DD."),
    AfterValidator(_in_the_calendar),
]


def shorthand(value: Any, key: str) -> Any:
    """`8` for `{key: 8}`: lets the short form of a section stand for its one essential key."""
    return value if isinstance(value, dict | Section) or value is None else {key: value}
