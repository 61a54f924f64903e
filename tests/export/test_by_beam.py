"""Beam YAML: valid by Beam's own schema, and its windows are those of the plan when Beam runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from exporting import ORDERS, small, text_of

from pipelineplan import InputError, export

SETTINGS = {"kafka": "broker:9092", "format": "JSON"}
TIMES = [0, 59, 60, 61, 3_600, 86_399, 86_400, 172_805]


def pipeline(plan: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text_of(plan, "beam", **SETTINGS))
    return found


def run_by_beam(plan: Any, wanted: list[tuple[float, float, float]]) -> None:
    """Run it with records where Kafka was; each has to be at its time and in its window, as `wanted`."""
    import apache_beam as beam
    from apache_beam.testing.util import assert_that, equal_to
    from apache_beam.yaml import yaml_transform

    tree = pipeline(plan)["pipeline"]
    tree["transforms"][0].update(
        {"type": "Create", "config": {"elements": [{"at": float(t)} for t in TIMES]}}
    )
    tree |= {"type": "composite", "output": tree["transforms"][-1]["name"]}

    def shown(
        element: Any, stamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> tuple[float, float, float]:
        return float(stamp), float(window.start), float(window.end)

    with beam.Pipeline() as running:
        windowed = running | yaml_transform.YamlTransform(yaml.safe_dump(tree))
        seen = windowed | beam.Map(shown) | beam.WindowInto(beam.window.GlobalWindows())
        assert_that(seen, equal_to(wanted))


def one_source(folder: Path, window: dict[str, str]) -> Any:
    return small(
        folder, source={"semantics": {"event_time": "at"}}, stage={"window": window, "engine": "beam"}
    )


def test_it_is_valid_by_beam_s_own_schema() -> None:
    yaml_transform = pytest.importorskip("apache_beam.yaml.yaml_transform")
    yaml_transform.validate_against_schema(pipeline(ORDERS), "generic")
    transforms = {one["name"]: one for one in pipeline(ORDERS)["pipeline"]["transforms"]}
    assert transforms["orders"]["config"]["consumer_config"]["max.poll.interval.ms"] == "300000"
    assert transforms["minute-mart"]["windowing"] == {"type": "fixed", "size": "60s"}


@pytest.mark.parametrize(
    ("window", "written"),
    [
        ({"fixed": "2 d"}, {"type": "fixed", "size": "172800s"}),
        ({"sliding": "10 min", "every": "90 s"}, {"type": "sliding", "size": "600s", "period": "90s"}),
        ({"session": "1500 ms"}, {"type": "sessions", "gap": "1500ms"}),
    ],
)
def test_a_window_is_written_in_its_own_terms(
    tmp_path: Path, window: dict[str, str], written: dict[str, str]
) -> None:
    assert pipeline(one_source(tmp_path, window))["pipeline"]["transforms"][-1]["windowing"] == written


def test_without_a_window_there_is_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="states nothing"):
        export(small(tmp_path), "beam")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [60, 86_400], ids=["a minute", "a day"])
def test_beam_puts_records_into_the_plan_s_windows(tmp_path: Path, seconds: int) -> None:
    pytest.importorskip("apache_beam")
    wanted = [(float(t), float(t - t % seconds), float(t - t % seconds + seconds)) for t in TIMES]
    run_by_beam(one_source(tmp_path, {"fixed": f"{seconds} s"}), wanted)
    with pytest.raises(Exception, match="Failed assert"):  # and the comparison is one that notices
        run_by_beam(one_source(tmp_path / "other", {"fixed": f"{seconds + 1} s"}), wanted)
