"""YAML from strangers: traps, limits, encodings, and where every value stands."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelineplan.documents import Document, read_document, read_text
from pipelineplan.documents.reading import MOST_BYTES, MOST_DEPTH, MOST_VALUES
from pipelineplan.errors import InputError, Problem


def read(text: str | bytes) -> Document:
    return read_text(text.encode() if isinstance(text, str) else text, "f.yaml")


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        read(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 1", {"a": 1}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1.5", {"a": 1.5}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: true", {"a": True}),
        ("a: Null", {"a": None}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: 'on'", {"a": "on"}),
        ('a: "0777"', {"a": "0777"}),
        ("a: 45_000/s", {"a": "45_000/s"}),
        ("a: 2026-01-01", {"a": "2026-01-01"}),  # a date stays text
        ("a: 1.2.3", {"a": "1.2.3"}),
        ("a: !!str 5", {"a": "5"}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("1: x", {"1": "x"}),
        ("- [1, {b: 2}]", [[1, {"b": 2}]]),
        ('{"a": [1, null, true]}', {"a": [1, None, True]}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("just text", "just text"),
        ("a: 1\r\nb:\r\n  - 2\r\n", {"a": 1, "b": [2]}),
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        ("a: &x {k: 1}\nb: *x\n", {"a": {"k": 1}, "b": {"k": 1}}),
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n", {"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}}),
        # of several merged mappings the first wins, and the mapping's own keys win over all
        (
            "a: &a {k: 1}\nc: &c {k: 2, l: 2}\nb: {<<: [*a, *c], m: 3}\n",
            {"a": {"k": 1}, "c": {"k": 2, "l": 2}, "b": {"k": 1, "l": 2, "m": 3}},
        ),
    ],
)
def test_plain_data_is_read_as_yaml_1_2_does(text: str | bytes, data: object) -> None:
    assert read(text).data == data


@pytest.mark.parametrize(
    ("scalar"),
    [
        "on",
        "Off",
        "yes",
        "NO",
        "y",
        "N",
        "1:30",
        "12:30:45",
        "0777",
        "0x1F",
        "0o17",
        "0b11",
        ".inf",
        ".NaN",
        "1e999",
    ],
)
def test_what_two_readers_of_yaml_would_read_differently_is_an_error(scalar: str) -> None:
    (found,) = problems(f"a: 1\nb: {scalar}\n")
    assert (found.position.line, found.position.column, found.path) == (2, 4, "$.b")
    assert repr(scalar) in found.message
    assert "quotes" in found.fix


def test_a_key_can_be_a_trap_too() -> None:
    (found,) = problems("on: 1")
    assert found.path == "$.on"


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        (b"", 1, 1, "the file is empty"),
        (b"\n  \n", 1, 1, "the file is empty"),
        (b"# only\n# comments\n", 1, 1, "the file is empty"),
        (b"a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        (b"a: [1, 2\n", 2, 1, "not YAML"),
        (b"a: b: c\n", 1, 5, "not YAML"),
        (b"a:\n\tb: 1\n", 2, 1, "not YAML"),
        (b"a: {x: 1}}\n", 1, 10, "not YAML"),
        (b"a: 'x\n", 2, 1, "not YAML"),
        (b"a: *nobody\n", 1, 4, "has no anchor"),
        (b"a: &a {x: *a}\n", 1, 11, "has no anchor"),
        (b"a: !!python/object/apply:os.system ['x']\n", 1, 4, "the tag"),
        (b"a: !mine 1\n", 1, 4, "the tag '!mine'"),
        (b"a: !!int '3'\n", 1, 4, "the tag"),
        (b"? [a]\n: 1\n", 1, 3, "a key that is a list or a mapping"),
        (b"a: &k x\n*k : 2\n", 2, 1, "an alias as a key"),
        (b"a: 1\nb:\n  <<: 5\n", 3, 3, "found no mapping to merge"),
        (b"a: 1\nb: {<<: [text]}\n", 2, 5, "found no mapping to merge"),
        ("a: 1".encode("utf-16"), 1, 1, "byte 0xff is not UTF-8"),
        ("a: 1".encode("utf-16-le"), 1, 2, "a NUL byte"),
        ("a: ok\nb: caf\xe9".encode("latin-1"), 2, 7, "byte 0xe9 is not UTF-8"),
        (b"a: 1\nb: \x00", 2, 4, "a NUL byte"),
        (b"a: \x1b[31m", 1, 4, "a control character"),
        ("é😀\né: \x01".encode(), 2, 4, "a control character"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 1, 1, "is not UTF-8"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: bytes, line: int, column: int, said: str) -> None:
    (found,) = problems(text)
    assert said in found.message
    assert (found.position.line, found.position.column) == (line, column)


def test_every_duplicate_key_is_reported_with_its_first_place() -> None:
    found = problems("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert [(p.path, p.position.line) for p in found] == [("$.b.c", 4), ("$.a", 5)]
    assert "first on line 3" in found[0].message


def test_a_problem_carries_its_line_for_the_caret() -> None:
    (found,) = problems("ä: 1\nb: on\n")
    assert found.source_line == "b: on"


def test_positions_count_characters_and_not_bytes() -> None:
    text = "é😀: ünï\nb: {😀: [1, '😀😀', {k: v}]}\nlist:\n- c:\t1\n"
    found = read(text)
    lines = text.split("\n")
    for path, value in {
        ("é😀",): "ünï",
        ("b", "😀", 0): "1",
        ("b", "😀", 1): "'😀😀'",
        ("b", "😀", 2): "{k: v}",
        ("b", "😀", 2, "k"): "v",
        ("list", 0, "c"): "1",
    }.items():
        place = found.positions[path]
        assert lines[place.line - 1][place.column - 1 :].startswith(value), path


def test_a_value_that_stands_nowhere_has_the_place_of_what_is_around_it() -> None:
    found = read("a: {b: 1}\n")
    assert found.position(("a", "nowhere", "deeper")) == found.position(("a",))
    assert found.key_position(("a",)).column == 1


def test_an_alias_bomb_is_stopped_in_bounded_memory() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(20)
    )
    tracemalloc.start()
    (found,) = problems(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"more than {MOST_VALUES:,} values once aliases are expanded" in found.message
    assert found.position.line == 6  # 10^6 values would be here
    assert peak < 5 * 1024**2


def test_deep_nesting_is_stopped_at_the_limit() -> None:
    assert read("[" * MOST_DEPTH + "]" * MOST_DEPTH).data is not None
    (found,) = problems("[" * (MOST_DEPTH + 1))
    assert f"nested deeper than {MOST_DEPTH} levels" in found.message
    (found,) = problems("[" * 100_000)
    assert f"nested deeper than {MOST_DEPTH} levels" in found.message


def test_a_file_that_is_too_large_is_not_read_to_its_end() -> None:
    (found,) = problems(b"#" * (MOST_BYTES + 1))
    assert "larger than 8 MiB" in found.message


def test_what_is_no_file_says_so(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "absent.yaml", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(InputError, match=said):
            read_document(path)


def outcome(content: bytes) -> Document | tuple[Problem, ...]:
    try:
        return read_text(content, "f")
    except InputError as error:
        return error.problems


@given(st.binary(max_size=300))
@example(b"\xed\xa0\x80")
@example(b"{" * 70)
def test_law_any_bytes_are_a_document_or_an_input_error(content: bytes) -> None:
    found = outcome(content)
    assert isinstance(found, Document) or found


YAMLISH = st.text(st.sampled_from("ab:-[]{},&*!|>'\"#%@?<~ \n\t1.é😀=_0e"), max_size=120)


@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), YAMLISH))
@example("<<: &a {<<: *a}")
@example("? ? ? a")
@example("&a &b c")
@example("<<: [[{}]]")
def test_law_any_text_is_a_document_or_an_input_error(text: str) -> None:
    found = outcome(text.encode())
    if isinstance(found, Document):
        assert all(place.line <= len(found.lines) + 1 for place in found.positions.values())
    else:
        assert all(p.position.line >= 1 and p.position.column >= 1 for p in found)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.text(max_size=10))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=6).filter(lambda key: key != "<<"), inner, max_size=4),
    ),
    max_leaves=20,
)


@given(TREES)
def test_law_what_json_writes_is_read_back(tree: object) -> None:
    import json

    text = json.dumps(tree, ensure_ascii=True)
    if tree is None or "\\ud" in text or "\\u00" in text or "\\ufff" in text:
        return  # what JSON escapes and YAML does not allow
    assert read_text(text, "f.json").data == tree
