"""Quantities as people write them, and as formulas want them: "15 min" is 900.0 seconds."""

from pipelineplan.quantities.quantity import Quantity, QuantityError, parse
from pipelineplan.quantities.say import say, say_apart, say_between, say_seconds, say_share
from pipelineplan.quantities.units import Dimension

__all__ = [
    "Dimension",
    "Quantity",
    "QuantityError",
    "parse",
    "say",
    "say_apart",
    "say_between",
    "say_seconds",
    "say_share",
]
