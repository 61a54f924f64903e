"""Files as they were at another git revision, laid out in a temporary folder.

    with files_at(plan, "origin/main") as old_plan:
        read_plan(old_plan)

Only files that a plan can refer to are taken out, and git is asked for nothing but an archive: no
checkout, no hooks, no change of the repository.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.documents.root import find_root
from pipelineplan.errors import InputError, Position, Problem

_LARGEST_FILE = 8 * 1024 * 1024  # what a plan refers to is smaller; data that lies beside is left out
_MOST_BYTES = 512 * 1024 * 1024
MOST_REVISIONS = 500


@contextmanager
def files_at(plan: Path, revision: str) -> Iterator[Path]:
    """The path of `plan` as it was at `revision`, in a folder that lasts as long as the `with` block.

    Raises `InputError` when there is no git repository, no such revision, or no such file then.
    """
    top = _top(plan)
    commit = _commit(top, revision)
    root = find_root(plan)
    with tree_at(top, commit) as target:
        then = target / plan.resolve().relative_to(top)
        if not then.exists():
            raise InputError([Problem(f"the plan is not there at {revision!r}", Position(plan.as_posix()))])
        # The root may lie above the repository: it is marked as near as it can be.
        marked = target / root.relative_to(top) if root.is_relative_to(top) else target
        marked.mkdir(parents=True, exist_ok=True)
        (marked / "pipelineplan.toml").touch()
        yield then


@contextmanager
def tree_at(top: Path, commit: str) -> Iterator[Path]:
    """All small files of the repository at `top` as they were at `commit`, in a temporary folder.

    An empty `.git` makes it a root of references as the repository is one.
    """
    with tempfile.TemporaryDirectory(prefix="pipelineplan-") as folder:
        target = Path(folder).resolve()
        _unpack(top, commit, target)
        (target / ".git").mkdir(exist_ok=True)
        yield target


@dataclass(frozen=True)
class Since:
    """What differs from `commit`, the merge base with `revision`, to the files as they lie there now.

    `files` are absolute paths of all that was added, changed, removed or is not tracked; `gone` those
    that are no longer there.
    """

    top: Path
    revision: str
    commit: str
    files: frozenset[str]

    @property
    def gone(self) -> list[Path]:
        """The changed files that are no longer there."""
        return [Path(file) for file in sorted(self.files) if not os.path.lexists(file)]


def since(place: Path, revision: str) -> Since:
    """What has changed around `place` since its branch left `revision`, whether committed or not.

    Raises `InputError` without a repository, for an unknown revision, and where the two have no common
    commit, as in a shallow clone.
    """
    top = _top(place)
    _commit(top, revision)
    common = _git(top, "merge-base", revision, "HEAD")
    if common is None:
        message = f"no commit is known that {revision!r} and this one have in common"
        fix = "a shallow clone in CI needs fetch-depth: 0"
        raise InputError([Problem(message, Position("--base"), fix=fix)])
    commit = common.decode().strip()
    changed = _git(top, "diff", "--name-only", "--no-renames", "-z", "--no-ext-diff", commit, "--")
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    if changed is None or new is None:
        raise InputError([Problem("git cannot say what has changed", Position(top.as_posix()))])
    names = [os.fsdecode(name) for name in (changed + new).split(b"\0") if name]
    return Since(top, revision, commit, frozenset(str(top / name) for name in names))


def _top(plan: Path) -> Path:
    folder = plan if plan.is_dir() else plan.parent
    found = _git(folder, "rev-parse", "--show-toplevel")
    if found is None:
        message = "not in a git repository, so there is no other revision"
        raise InputError([Problem(message, Position(plan.as_posix()), fix="compare two files instead")])
    return Path(found.decode().strip()).resolve()


def _commit(top: Path, revision: str) -> str:
    found = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None:
        fix = "fetch it first; a shallow clone in CI needs fetch-depth: 0"
        raise InputError([Problem(f"git knows no revision {revision!r}", Position("--base"), fix=fix)])
    return found.decode().strip()


def _unpack(top: Path, commit: str, target: Path) -> None:
    archive = subprocess.Popen(  # noqa: S603  (the commit is a hash that git itself gave)
        ["git", "-C", str(top), "archive", "--format=tar", commit],  # noqa: S607  (the user's own git)
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if archive.stdout is None:
        raise RuntimeError("git gave no output to read")
    size = 0
    with archive.stdout, tarfile.open(fileobj=archive.stdout, mode="r|") as tar:
        for member in tar:
            if not member.isfile() or member.size > _LARGEST_FILE:
                continue
            size += member.size
            if size > _MOST_BYTES:
                archive.kill()
                fix = "compare two files instead"
                raise InputError(
                    [Problem("the repository is too large to unpack", Position("--base"), fix=fix)]
                )
            tar.extract(member, target, filter="data")
    archive.kill()
    archive.wait()


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints, or None when it fails or is not installed."""
    try:
        done = subprocess.run(  # noqa: S603  (fixed arguments; revisions come after --end-of-options)
            ["git", "-C", str(folder), *arguments],  # noqa: S607  (the user's own git)
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True)
class Revision:
    """One version of a file: the commit that made it, its date in seconds since the epoch, its content."""

    commit: str
    seconds: float
    content: bytes


def revisions_of(file: Path) -> list[Revision]:
    """The versions of `file` that commits made, oldest first, at most the last `MOST_REVISIONS`.

    Commits of its present name only, by committer date. Raises `InputError` outside a git repository.
    """
    top = _top(file)
    listed = _git(top, "log", f"-n{MOST_REVISIONS}", "--format=%H %ct", "--", _inside(file, top))
    pairs = [line.split() for line in (listed or b"").decode().splitlines()]
    found = [(commit, float(seconds), _blob(top, commit, file)) for commit, seconds in reversed(pairs)]
    return [Revision(commit, seconds, blob) for commit, seconds, blob in found if blob is not None]


def revision_at(file: Path, revision: str) -> Revision:
    """The version of `file` at `revision`. Raises `InputError` when there is none."""
    top = _top(file)
    commit = _commit(top, revision)
    content, date = _blob(top, commit, file), _git(top, "show", "--no-patch", "--format=%ct", commit)
    if content is None or date is None:
        raise InputError([Problem(f"the file is not there at {revision!r}", Position(file.as_posix()))])
    return Revision(commit, float(date), content)


def _inside(file: Path, top: Path) -> str:
    return file.resolve().relative_to(top).as_posix()


def _blob(top: Path, commit: str, file: Path) -> bytes | None:
    return _git(top, "cat-file", "blob", f"{commit}:{_inside(file, top)}")
