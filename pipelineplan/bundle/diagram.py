"""The data flow as SVG, drawn from the plan's graph: layers from left to right, edges labelled by exchange.

    (orders) --keyed--> [enrich] --keyed--> [minute-mart] --forward--> [[warehouse]]
    (customers) -keyed----^

A node's layer is its longest way from a source; within a layer nodes stand near the mean height of
their inputs. Colours are CSS variables, so that the page's light and dark themes apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelineplan.bundle.escaping import html, line
from pipelineplan.plan import Edge, Plan

_WIDTH, _HEIGHT = 176.0, 56.0
_GAP_X, _GAP_Y = 96.0, 28.0
_MARGIN = 12.0
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" '
    'markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="var(--muted)"/></marker></defs>'
)


@dataclass(frozen=True)
class Box:
    """Where a node is drawn: its upper left corner."""

    x: float
    y: float

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + _HEIGHT / 2


def as_diagram(plan: Plan, states: Mapping[str, str]) -> str:
    """The flow as an inline SVG; `states` gives the verdict of each node (holds, fails, unknown)."""
    boxes = layout(plan)
    width = max(box.x for box in boxes.values()) + _WIDTH + _MARGIN
    height = max(box.y for box in boxes.values()) + _HEIGHT + _MARGIN
    opening = (
        f'<svg class="flow" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" '
        f'aria-label="{html(_said(plan))}">'
    )
    edges = [_edge(edge, boxes) for edge in plan.graph.edges]
    nodes = [_node(plan, node, boxes[node], states.get(node, "")) for node in plan.graph.order]
    parts = [opening, _TIP, *edges, *nodes, "</svg>"]
    return "\n".join(parts)


def layout(plan: Plan) -> dict[str, Box]:
    """A place for every node; no two overlap, and records flow from left to right."""
    layers: dict[str, int] = {}
    for node in plan.graph.order:
        layers[node] = max((layers[edge.upstream] + 1 for edge in plan.graph.into(node)), default=0)
    last = max(layers.values())
    for node, kind in plan.graph.kinds.items():
        layers[node] = last if kind == "sink" else layers[node]
    boxes: dict[str, Box] = {}
    tallest = max(list(layers.values()).count(layer) for layer in set(layers.values()))
    for layer in range(last + 1):
        nodes = [node for node in plan.graph.order if layers[node] == layer]
        nodes.sort(key=lambda node: _wish(plan, node, boxes))
        top = _MARGIN + (tallest - len(nodes)) * (_HEIGHT + _GAP_Y) / 2
        for row, node in enumerate(nodes):
            boxes[node] = Box(_MARGIN + layer * (_WIDTH + _GAP_X), top + row * (_HEIGHT + _GAP_Y))
    return boxes


def _wish(plan: Plan, node: str, boxes: Mapping[str, Box]) -> float:
    heights = [boxes[edge.upstream].y for edge in plan.graph.into(node) if edge.upstream in boxes]
    return sum(heights) / len(heights) if heights else 0.0


def _said(plan: Plan) -> str:
    edges = (f"{edge.upstream} to {edge.downstream}" for edge in plan.graph.edges)
    return f"Data flow: {', '.join(edges)}"


def _edge(edge: Edge, boxes: Mapping[str, Box]) -> str:
    start, end = boxes[edge.upstream], boxes[edge.downstream]
    x1, y1, x2, y2 = start.x + _WIDTH, start.middle, end.x - 3, end.middle
    bend = (x2 - x1) / 2
    path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    label = _cut(f"by {edge.key}" if edge.key else edge.exchange, 15)
    return (
        f'<path d="{path}" fill="none" stroke="var(--muted)" stroke-width="1.5" marker-end="url(#tip)"/>'
        f'<text class="edge" x="{(x1 + x2) / 2:g}" y="{(y1 + y2) / 2 - 7:g}" '
        f'text-anchor="middle">{html(label)}</text>'
    )


def _node(plan: Plan, node: str, box: Box, state: str) -> str:
    kind = plan.graph.kinds[node]
    radius = {"source": 28, "stage": 8, "sink": 8}[kind]
    inner = (
        f'<rect x="{box.x + 4:g}" y="{box.y + 4:g}" width="{_WIDTH - 8:g}" height="{_HEIGHT - 8:g}" rx="5" '
        'fill="none" stroke="var(--line)"/>'
        if kind == "sink"
        else ""
    )
    middle = box.x + _WIDTH / 2
    return (
        f'<g class="node {state}"><title>{html(f"{kind} {node} {state}".strip())}</title>'
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{_WIDTH:g}" height="{_HEIGHT:g}" rx="{radius}"/>{inner}'
        f'<text class="name" x="{middle:g}" y="{box.y + 25:g}" text-anchor="middle">'
        f"{html(_cut(node, 22))}</text>"
        f'<text class="kind" x="{middle:g}" y="{box.y + 42:g}" '
        f'text-anchor="middle">{html(_about(plan, node))}</text></g>'
    )


def _about(plan: Plan, node: str) -> str:
    """The few words under a node's name."""
    match plan.graph.kinds[node]:
        case "source":
            source = plan.source(node)
            return f"{source.system}, {source.partitions} partitions" if source.partitions else source.system
        case "stage":
            stage = plan.stage(node)
            workers = f" × {stage.parallelism.now}" if stage.parallelism is not None else ""
            return f"{stage.engine or 'stage'}{workers}"
        case "sink":
            sink = plan.sink(node)
            guarantee = sink.guarantee.kind.replace("_", " ") if sink.guarantee is not None else ""
            return ", ".join(part for part in (sink.mode, guarantee) if part) or "sink"


def _cut(text: str, longest: int) -> str:
    shown = line(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
