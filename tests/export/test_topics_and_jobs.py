"""Topics and jobs: what is written reads back as what the plan says, and is what those tools accept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from exporting import EXAMPLES, ORDERS, held_against, small, text_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelineplan import InputError, export, read_facts, read_plan
from pipelineplan.exchange.traced import Needs, Traced, plain
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan.real_system import agrees
from pipelineplan.quantities import parse


@pytest.mark.parametrize(("name", "least"), [("strimzi", 8), ("flink", 19)])
def test_what_is_written_reads_back_as_what_the_plan_says(tmp_path: Path, name: str, least: int) -> None:
    plan = held_against(tmp_path, export(ORDERS, name))
    assert plan.real.broken == ()
    compared = [link for link in plan.real.links if link.stated is not None]
    assert [link.fact.written for link in compared if not agrees(link.stated, link.fact, link.relation)] == []
    assert len(compared) >= least
    assert [link.fact.written for link in plan.real.links if link.stated is None] == []
    assert [one.written for reading in plan.real.readings for one in reading.unread] == []


@pytest.mark.parametrize("name", ["strimzi", "flink"])
def test_every_value_ends_in_a_place_of_the_plan(name: str) -> None:
    lines = (ORDERS / "plan.yaml").read_text(encoding="utf-8").splitlines()
    for file in export(ORDERS, name).files:
        assert len(file.values) >= 10
        for at, traced in file.values:
            for place in traced.places:
                assert place.position.line > 0, at
                assert str(place.position) in file.text
                assert place.position.line <= len(lines)


def test_a_topic_has_the_settings_of_kafka_under_their_own_names() -> None:
    orders, letters = yaml.safe_load_all(text_of(ORDERS, "strimzi", cluster="main"))
    assert orders == {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaTopic",
        "metadata": {"name": "orders", "labels": {"strimzi.io/cluster": "main"}},
        "spec": {
            "partitions": 24,
            "replicas": 3,
            "config": {
                "min.insync.replicas": 2,
                "retention.ms": 7 * 86_400_000,
                "segment.ms": 86_400_000,
                "cleanup.policy": "delete",
                "message.timestamp.type": "LogAppendTime",
            },
        },
    }
    assert letters["metadata"]["name"] == "orders-dlq"
    assert letters["spec"] == {"config": {"retention.ms": 14 * 86_400_000}}


def test_what_the_plan_leaves_open_is_a_comment_that_says_what_it_needs(tmp_path: Path) -> None:
    text = text_of(small(tmp_path), "strimzi")
    assert yaml.safe_load(text)["metadata"] == {"name": "clicks"}
    assert "# partitions: <PARTITIONS>  # state partitions: of clicks" in text
    assert "# strimzi.io/cluster: <CLUSTER>" in text


@pytest.mark.parametrize(
    ("source", "key", "why"),
    [
        ({"retention": "7 d ± 1 d"}, "retention.ms", "is an interval"),
        ({"retention": {"segment": "250 us"}}, "segment.ms", "no whole number of milliseconds"),
        ({"retention": {"segment_bytes": "3 GiB"}}, "segment.bytes", "at most 2147483647"),
    ],
)
def test_what_kafka_cannot_be_told_is_left_out_and_said(
    tmp_path: Path, source: dict[str, object], key: str, why: str
) -> None:
    made = export(small(tmp_path, source=source), "strimzi")
    assert [one for one in made.dropped if why in one.why] != []
    assert f" {key}:" not in made.files[0].text
    assert why in made.files[0].text


def test_topics_that_kubernetes_cannot_name_get_names_of_their_own(tmp_path: Path) -> None:
    sources = [{"id": f"s{i}", "system": "kafka", "topic": t} for i, t in enumerate(["a_b", "A_B", "a-b"])]
    plan = small(
        tmp_path, sources=sources, stages=[{"id": "count", "engine": "flink", "inputs": ["s0", "s1", "s2"]}]
    )
    documents = list(yaml.safe_load_all(text_of(plan, "strimzi")))
    names = [one["metadata"]["name"] for one in documents]
    assert len(set(names)) == 3
    assert names[2] == "a-b"  # the one that needs no other name keeps its own
    assert [one["spec"]["topicName"] for one in documents] == ["a_b", "A_B", "a-b"]


def test_a_default_of_the_language_is_not_the_plan_s_word(tmp_path: Path) -> None:
    plan = small(tmp_path, stage={"checkpoint": {"interval": "60 s"}})
    assert yaml.safe_load(text_of(plan, "flink")) == {"execution.checkpointing.interval": "1 min"}


STAGES = [
    {
        "id": "one",
        "engine": "flink",
        "inputs": ["clicks"],
        "checkpoint": {"interval": "60 s"},
        "parallelism": 4,
    },
    {"id": "two", "engine": "flink", "inputs": ["one"], "parallelism": 8},
]


def test_an_option_of_the_job_is_what_its_stages_agree_on(tmp_path: Path) -> None:
    plan = small(tmp_path, stages=STAGES, sinks=[{"id": "board", "inputs": ["two"]}])
    made = export(plan, "flink")
    assert yaml.safe_load(made.files[0].text) == {"execution.checkpointing.interval": "1 min"}
    assert [one.what for one in made.dropped] == [
        "$.stages[0].parallelism.now",
        "$.stages[1].parallelism.now",
    ]


def test_two_jobs_are_two_files_and_need_a_folder(tmp_path: Path) -> None:
    stages = [{**one, "job": f"job/{one['id']}"} for one in STAGES]
    plan = small(tmp_path / "plan", stages=stages, sinks=[{"id": "board", "inputs": ["two"]}])
    made = export(plan, "flink")
    assert [file.name for file in made.files] == ["job-one/config.yaml", "job-two/config.yaml"]
    with pytest.raises(InputError, match="give a folder"):
        made.write(tmp_path / "config.yaml")
    assert [place.is_file() for place in made.write(tmp_path / "out")] == [True, True]


def test_time_to_live_goes_by_the_machine_or_not_at_all(tmp_path: Path) -> None:
    def made(clock: str) -> object:
        plan = small(
            tmp_path / clock, stage={"state": {"ttl": {"time": "36 h", "clock": clock}, "backend": "heap"}}
        )
        return yaml.safe_load(text_of(plan, "flink"))

    assert made("processing") == {"state.backend.type": "hashmap", "table.exec.state.ttl": "36 h"}
    assert made("event") == {"state.backend.type": "hashmap"}


@pytest.mark.parametrize("name", ["demo-holds", "ledger-batch", "mobile-telemetry", "schema-change"])
def test_every_example_is_exported_or_says_why_not(name: str) -> None:
    plan = read_plan(EXAMPLES / name)
    has = {
        "strimzi": any(source.system == "kafka" for source in plan.model.sources),
        "flink": any(stage.engine == "flink" and stage.parallelism for stage in plan.model.stages),
    }
    for target, any_of_it in has.items():
        if any_of_it:
            assert [list(yaml.safe_load_all(file.text)) for file in export(plan, target).files]
        else:
            with pytest.raises(InputError, match="states nothing"):
                export(plan, target)


words = st.text(max_size=40) | st.sampled_from(
    ["1:30", "y", "on", "0x1F", "1e3", "~", "- a", "a: b", "# c", "\n"]
)
leaves = words.map(lambda text: Traced(text, (), "here # ' \" \n: [")) | words | st.integers() | st.booleans()
# As formats have it: keys are their own words and never a plan's; lists hold values and mappings.
keys = st.sampled_from(["a", "for", "retention.ms", "strimzi.io/cluster", "is_open"])
open_ones = st.builds(Needs, words | st.dictionaries(keys, words, min_size=1, max_size=2), words)
trees = st.recursive(
    leaves | open_ones,
    lambda inner: (
        st.lists(
            leaves | open_ones | st.dictionaries(keys, inner, min_size=1, max_size=3), min_size=1, max_size=3
        )
        | st.dictionaries(keys, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.dictionaries(st.sampled_from("abc"), trees, min_size=1, max_size=3))
def test_comments_change_nothing_of_what_the_file_says(tree: dict[str, object]) -> None:
    try:
        text = as_yaml("x.yaml", ["head\n- not: this"], [tree]).text
    except yaml.YAMLError:  # what YAML cannot hold at all
        return
    assert without_nothing(yaml.safe_load(text)) == without_nothing(plain(tree))


def without_nothing(data: object) -> object:
    """Sections of which everything is open are left out or empty, which says the same."""
    if isinstance(data, dict):
        found = {key: without_nothing(value) for key, value in data.items()}
        return {key: value for key, value in found.items() if value not in (None, {}, [])} or None
    if isinstance(data, list):
        return [
            each for each in (without_nothing(value) for value in data) if each not in (None, {}, [])
        ] or None
    return data


milliseconds = st.integers(1, 10**12)
amounts = st.builds(
    lambda time, segment, size, interval, timeout: {
        "retention": {"time": f"{time} ms", "segment": f"{segment} ms", "bytes_per_partition": f"{size} B"},
        "checkpoint": {"interval": f"{interval} ms", "timeout": f"{timeout} ms"},
    },
    milliseconds,
    milliseconds,
    st.integers(1, 2**50),
    milliseconds,
    milliseconds,
)


@settings(max_examples=40, deadline=None)
@given(amounts)
def test_law_every_whole_amount_reads_back_exactly(said: dict[str, dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plan = small(
            Path(folder), source={"retention": said["retention"]}, stage={"checkpoint": said["checkpoint"]}
        )
        for name in ("strimzi", "flink"):
            (place,) = export(plan, name).write(Path(folder) / f"{name}.yaml")
            (reading,) = read_facts(place, f"{name}.yaml")
            for fact in reading.facts:
                section, _, field = fact.field.partition(".")
                assert fact.dimension is not None
                assert (
                    parse(fact.value, fact.dimension).value
                    == parse(said[section][field], fact.dimension).value
                )
            assert len(reading.facts) == len(said["retention" if name == "strimzi" else "checkpoint"])
