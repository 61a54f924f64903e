import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelineplan.bundle import Contents, render, verify, write_bundle, writing
from pipelineplan.errors import InputError

REPOSITORY = Path(__file__).parents[2]


def everything(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_a_bundle_holds_every_file_and_is_whole(demo: Contents, tmp_path: Path) -> None:
    folder = write_bundle(demo, tmp_path / "out" / "bundle")
    assert set(everything(folder)) == {*writing.WRITERS, "manifest.json"}
    assert verify(folder) == ()
    assert [p.name for p in folder.parent.iterdir()] == ["bundle"]


def test_two_builds_are_the_same_bytes(demo: Contents, tmp_path: Path) -> None:
    first = everything(write_bundle(demo, tmp_path / "a"))
    assert first == everything(write_bundle(demo, tmp_path / "b"))
    assert first == everything(write_bundle(demo, tmp_path / "a"))


@pytest.mark.slow
def test_hash_seed_locale_and_folder_do_not_reach_the_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pipelineplan.bundle import write_bundle\n"
        "from pipelineplan.workflow import compile_plan\n"
        "write_bundle(compile_plan(Path(sys.argv[1])), sys.argv[2])\n"
    )
    plan = REPOSITORY / "examples" / "demo-fails" / "plan.yaml"
    built = []
    for number, seed, where, locale in ((1, "1", REPOSITORY, "C"), (2, "77", tmp_path, "C.UTF-8")):
        target = tmp_path / f"b{number}"
        env = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale}
        subprocess.run([sys.executable, "-c", code, str(plan), str(target)], check=True, cwd=where, env=env)
        built.append(everything(target))
    assert built[0] == built[1]


def test_text_has_no_carriage_returns_and_is_utf_8(orders: Contents) -> None:
    for name, content in render(orders).items():
        assert b"\r" not in content, name
        assert content.decode().endswith("\n"), name


def test_the_manifest_names_inputs_rules_seed_and_version(orders: Contents) -> None:
    manifest = json.loads(render(orders)["manifest.json"])
    assert manifest["seed"] == 7
    assert manifest["tool"]["version"] == "9.9.9"
    assert manifest["rules"]["count"] == len({finding.code for finding in orders.findings})
    assert "examples/orders-to-warehouse/plan.yaml" in manifest["inputs"]
    assert all(
        not name.startswith("/") and len(entry["sha256"]) == 64 for name, entry in manifest["inputs"].items()
    )


def test_altered_missing_and_extra_files_are_named(demo: Contents, tmp_path: Path) -> None:
    folder = write_bundle(demo, tmp_path / "bundle")
    (folder / "report.md").write_text("all is well\n")
    (folder / "junit.xml").unlink()
    (folder / "more.txt").write_text("x")
    problems = {problem.position.file: problem.message for problem in verify(folder)}
    assert set(problems) == {"report.md", "junit.xml", "more.txt"}
    assert problems["report.md"].startswith("was altered")
    assert "missing" in problems["junit.xml"]
    assert "not part" in problems["more.txt"]


def test_one_flipped_bit_is_found(demo: Contents, tmp_path: Path) -> None:
    folder = write_bundle(demo, tmp_path / "bundle")
    content = bytearray((folder / "report.html").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "report.html").write_bytes(bytes(content))
    assert [problem.position.file for problem in verify(folder)] == ["report.html"]


def test_line_endings_of_a_windows_checkout_are_no_alteration(demo: Contents, tmp_path: Path) -> None:
    folder = write_bundle(demo, tmp_path / "bundle")
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert verify(folder) == ()


def test_a_link_in_place_of_a_file_is_found(demo: Contents, tmp_path: Path) -> None:
    folder = write_bundle(demo, tmp_path / "bundle")
    copy = tmp_path / "copy.md"
    copy.write_bytes((folder / "report.md").read_bytes())
    (folder / "report.md").unlink()
    (folder / "report.md").symlink_to(copy)
    assert [problem.position.file for problem in verify(folder)] == ["report.md"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": "other"}', '{"schema": "pipelineplan/manifest/v1"}']
)
def test_a_folder_without_a_manifest_cannot_be_verified(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError):
        verify(tmp_path)


def test_a_folder_that_is_no_bundle_is_not_overwritten(demo: Contents, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.md").write_text("years of work")
    with pytest.raises(InputError, match="no bundle"):
        write_bundle(demo, tmp_path / "mine")
    assert everything(tmp_path) == {"mine/thesis.md": b"years of work"}
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="wanted a folder"):
        write_bundle(demo, tmp_path / "file")


def test_a_failing_writer_leaves_the_old_bundle(
    demo: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_bundle(demo, tmp_path / "bundle")
    before = everything(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(InputError, match="no space left on device"):
        write_bundle(replace(demo, as_of="2027-01-01"), folder)
    assert everything(tmp_path / "bundle") == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


KILLED = """
import os, signal, sys
from pathlib import Path
from dataclasses import replace
from pipelineplan.bundle import compile_contents, write_bundle, writing
from pipelineplan.plan import read_plan
plan = read_plan(Path(sys.argv[1]))
contents = compile_contents(plan, (), as_of=sys.argv[3])
step, real = int(sys.argv[4]), writing._write
def write(file, content):
    global step
    if step == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    step -= 1
    real(file, content)
writing._write = write
if step == 99:
    rename = Path.rename
    def renamed(self, target):
        rename(self, target)
        os.kill(os.getpid(), signal.SIGKILL)
    Path.rename = renamed
write_bundle(contents, sys.argv[2])
"""


@pytest.mark.parametrize("step", [0, 3, 99])
def test_a_killed_build_leaves_the_old_bundle_or_is_mended(step: int, demo: Contents, tmp_path: Path) -> None:
    """Killed before the first file, in the middle, and (99) between the two renames."""
    folder = write_bundle(demo, tmp_path / "bundle")
    before = everything(folder)
    plan = REPOSITORY / "examples" / "demo-holds" / "plan.yaml"
    run = [sys.executable, "-c", KILLED, str(plan), str(folder), "2027-01-01", str(step)]
    assert subprocess.run(run, check=False).returncode == -signal.SIGKILL
    if step != 99:
        assert everything(folder) == before
    assert not (folder.exists() and verify(folder))
    again = write_bundle(demo, folder)
    assert everything(again) == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_killed_first_build_leaves_no_bundle(tmp_path: Path) -> None:
    plan = REPOSITORY / "examples" / "demo-holds" / "plan.yaml"
    run = [sys.executable, "-c", KILLED, str(plan), str(tmp_path / "new"), "2027-01-01", "4"]
    assert subprocess.run(run, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "new").exists()


def test_the_temporary_folder_of_a_build_that_still_runs_is_left_alone(
    demo: Contents, tmp_path: Path
) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        busy = tmp_path / f".bundle.pipelineplan-tmp-{other.pid}"
        busy.mkdir()
        write_bundle(demo, tmp_path / "bundle")
        assert busy.is_dir()
    finally:
        other.kill()
        other.wait()
    write_bundle(demo, tmp_path / "bundle")
    assert not busy.exists()


def test_what_a_killed_build_of_the_same_process_id_left_is_not_taken_along(
    demo: Contents, tmp_path: Path
) -> None:
    stale = tmp_path / f".bundle.pipelineplan-tmp-{os.getpid()}"
    stale.mkdir()
    (stale / "half.md").write_text("half")
    assert verify(write_bundle(demo, tmp_path / "bundle")) == ()
    assert not stale.exists()


@pytest.mark.parametrize("name", ["../up.txt", "/etc/x", "manifest.json", ""])
def test_more_files_stay_inside_the_bundle(name: str, demo: Contents) -> None:
    with pytest.raises(ValueError, match="no name"):
        render(demo, {name: b""})


def test_more_files_are_in_the_manifest(demo: Contents, tmp_path: Path) -> None:
    folder = write_bundle(demo, tmp_path / "bundle", {"simulation/series.csv": b"a,b\n"})
    assert (folder / "simulation" / "series.csv").read_bytes() == b"a,b\n"
    assert verify(folder) == ()
