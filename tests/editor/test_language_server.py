"""The schema in the editor: what the real yaml-language-server completes, explains and complains of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.language_server import Editor, installed_server
from tests.npm_tools import NoToolError

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/plan.yaml"))
DEMO = (ROOT / "examples/demo-fails/plan.yaml").read_text(encoding="utf-8").partition("\n")[2]
FIRST_LINE = "# yaml-language-server: $schema=plan.schema.json\n"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    try:
        server = installed_server()
    except NoToolError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("plans")
    shutil.copy(ROOT / "contracts/plan.schema.json", folder)
    with Editor(server, folder) as opened:
        yield opened


def changed(old: str, new: str) -> str:
    """The demonstration plan with one thing changed, and the line by which the editor finds the schema."""
    assert old in DEMO
    return FIRST_LINE + DEMO.replace(old, new, 1)


@pytest.mark.parametrize("plan", EXAMPLES, ids=lambda plan: plan.parent.name)
def test_an_example_has_nothing_to_complain_of(editor: Editor, plan: Path) -> None:
    assert editor.diagnostics(plan.read_text(encoding="utf-8"), plan) == []
    unknown = plan.read_text(encoding="utf-8").replace("\nsources:", "\nsorces:", 1)
    assert any("sorces" in message for _, message in editor.diagnostics(unknown, plan)), "it finds its schema"


def test_the_demonstration_plans_find_their_schema_where_init_wrote_them(editor: Editor) -> None:
    from pipelineplan.cli import run

    assert run(["init", str(editor.folder / "my-plans"), "--demo"]) == 0
    plan = editor.folder / "my-plans/demo-holds/plan.yaml"
    assert editor.diagnostics(plan.read_text(encoding="utf-8"), plan) == []
    mistyped = plan.read_text(encoding="utf-8").replace("partitions:", "partition:", 1)
    assert len(editor.diagnostics(mistyped, plan)) == 1


WRONG = [
    ("a mistyped key", "partitions: 12", "partition: 12", "partition is not allowed"),
    ("in a section", "{lag: 30 s", "{lg: 30 s", "lg is not allowed"),
    ("in a short form's long form", "retention: 3 d", "retention: {tme: 3 d}", "tme is not allowed"),
    ("in a list", "exchange: forward", "exchnge: forward", "exchnge is not allowed"),
    ("text for a number", "partitions: 12", "partitions: twelve", "wanted a whole number such as 12"),
    ("a list for a quantity", "capacity: 2_000/s", "capacity: [1]", "Expected one of string"),
    ("a word that is none", "mode: upsert", "mode: upsrt", 'Valid values: "append", "upsert", "changelog"'),
]


@pytest.mark.parametrize(("old", "new", "says"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_mistake_is_one_complaint_at_its_line(editor: Editor, old: str, new: str, says: str) -> None:
    text = changed(old, new)
    line = text[: text.index(new)].count("\n") + 1
    ((where, message),) = editor.diagnostics(text)
    assert (where, says in message) == (line, True), message


def test_keys_of_one_s_own_and_empty_values_are_no_mistakes(editor: Editor) -> None:
    assert editor.diagnostics(changed("system: kafka", "system: kafka\n    x-cost-centre: 12")) == []
    assert editor.diagnostics(changed("lag: 30 s", "lag:")) == []


def test_keys_of_a_stage_come_with_words(editor: Editor) -> None:
    offered = editor.completion(changed("    capacity: 2_000/s\n", "    |\n"))
    assert {"capacity", "window", "checkpoint", "state", "retry"} - {"window", "checkpoint"} <= set(offered)
    assert "parallelism" not in offered, "what is there is not offered again"
    assert offered["capacity"]["documentation"].startswith("Input records per second of one subtask")
    assert "records/s" in offered["capacity"]["documentation"], "the unit is said"
    assert offered["capacity"]["textEdit"]["newText"] == "capacity: ${1:2_000/s}"
    assert [label for label, item in offered.items() if not item.get("documentation")] == []
    nothing = [label for label, item in offered.items() if "null" in item["textEdit"]["newText"]]
    assert nothing == [], "a key is never completed with null"


VALUES = [
    ("a duration", "lag: 30 s", "lag: |", "30 s"),
    ("a duration of a check", "repair: 54 min", "repair: |", "54 min"),
    ("a quantile", "p50: 1 s", "p50: |", "15 min"),
    ("a rate", "capacity: 2_000/s", "capacity: |", "2_000/s"),
    ("a share", "share: 99.5 %", "share: |", "99.5 %"),
    ("a short form", "retention: 3 d", "retention: |", "7 d"),
    ("a word", "mode: upsert", "mode: |", "changelog"),
]


@pytest.mark.parametrize(("old", "new", "wanted"), [v[1:] for v in VALUES], ids=[v[0] for v in VALUES])
def test_values_are_completed_with_their_unit(editor: Editor, old: str, new: str, wanted: str) -> None:
    assert wanted in editor.completion(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "label", "first"),
    [
        ("stages:\n", "stages:\n  - |\n", "a windowed stage", "id: ${1:count}\n"),
        ("outages:\n", "outages:\n  - |\n", "an outage", "of: ${1:job}\n"),
        ("    capacity: 2_000/s\n    window: {fixed: 1 min, allowed_lateness: 5 min}", "    window: |",
         "sliding windows", "\n  sliding: ${1:10 min}\n  every: ${2:1 min}"),
    ],
)  # fmt: skip
def test_a_section_is_put_in_whole(editor: Editor, old: str, new: str, label: str, first: str) -> None:
    assert editor.completion(changed(old, new))[label]["textEdit"]["newText"].startswith(first)


HOVERS = [
    ("a key", "capacity: 2", "capa|city: 2", ["#### Stage", "of one subtask", "records/s", "2_000/s"]),
    ("a key in a section", "lag: 30 s", "l|ag: 30 s", ["#### Watermark", "newest event time", "ms, s, min"]),
    ("a value", "engine: flink", "engine: fl|ink", ["What runs it", "* `flink`", "* `beam`"]),
    ("a section", "checkpoint:", "check|point:", ["#### Checkpoint", "When progress is made durable"]),
    ("a short form", "retention: 3", "reten|tion: 3", ["#### Retention", "How long the log keeps", "7 d"]),
    ("a quantile", "p99: 40 s", "p9|9: 40 s", ["99 % of the records", "duration"]),
]


@pytest.mark.parametrize(("old", "new", "wanted"), [h[1:] for h in HOVERS], ids=[h[0] for h in HOVERS])
def test_hovering_says_what_it_is(editor: Editor, old: str, new: str, wanted: list[str]) -> None:
    shown = editor.hover(changed(old, new))
    assert [words for words in wanted if words not in shown] == [], shown
