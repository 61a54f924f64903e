"""buf beside the profiles `protobuf-wire` and `protobuf-wire-json` on generated pairs of schemas.

    uv run python tests/full/buf_beside.py [pairs]        needs buf on the path (1.75 or later)

Every pair on which buf and the profile disagree is printed with both reasons; exit 1 if there is one.
Then what buf says is held against what the bytes say (type `protobuf`), and the differences counted by
kind: these are explained in docs/reference/compatibility.md.
"""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from pipelineplan.contracts.evolution import Choices, judgement_of
from pipelineplan.contracts.protobuf import read_proto, resolve, wire, wire_json
from pipelineplan.errors import InputError

PROFILES = {"WIRE": wire, "WIRE_JSON": wire_json}


def beside(name: str) -> ModuleType:
    file = Path(__file__).parents[1] / "contracts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_pairs(folder: Path, count: int) -> list[str]:
    """Pairs that protoc takes: old/pN.proto and new/pN.proto, each in a package of its own."""
    pairs, names = beside("proto_pairs"), []
    for side in ("old", "new"):
        (folder / side).mkdir()
    for seed in range(count):
        source = random.Random(seed)
        old = pairs.schema(source)
        new = pairs.changed(old, source)
        try:
            for side, of in (("old", old), ("new", new)):
                file = folder / side / f"p{seed}.proto"
                file.write_text(pairs.text(of).replace("package p;", f"package p{seed};"), encoding="utf-8")
                read_proto(file)
        except InputError:
            for side in ("old", "new"):
                (folder / side / f"p{seed}.proto").unlink(missing_ok=True)
            continue
        names.append(f"p{seed}.proto")
    return names


def buf(folder: Path, category: str) -> dict[str, set[str]]:
    """The rules that buf finds broken, by file."""
    config = json.dumps({"version": "v2", "breaking": {"use": [category]}})
    configured = ["--config", config, "--against-config", config]
    run = subprocess.run(
        ["buf", "breaking", ".", "--against", "../old", "--error-format", "json", *configured],
        cwd=folder / "new",
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode not in {0, 100}:
        raise SystemExit(run.stderr)
    found: dict[str, set[str]] = {}
    for line in run.stdout.splitlines():
        one = json.loads(line)
        found.setdefault(Path(one.get("path", "?")).name, set()).add(one["type"])
    return found


def compare(folder: Path, names: list[str], category: str) -> int:
    """Print and count the pairs on which buf and the profile disagree."""
    theirs, wrong, kinds = buf(folder, category), 0, Counter[str]()
    for name in names:
        new, old = read_proto(folder / "new" / name), read_proto(folder / "old" / name)
        ours = judgement_of(PROFILES[category](new, old), Choices())
        refused = name in theirs
        if ours.passes == refused:
            wrong += 1
            print(f"{category} {name}: buf {sorted(theirs.get(name, ()))}, here {shown(ours.changes)}")
        bytes_say = judgement_of(resolve(new, old), Choices())
        if bytes_say.passes == refused:
            kinds.update(theirs.get(name, ()) if refused else failing(bytes_say.changes))
    agreed = sum(1 for name in names if name in theirs)
    print(f"{category}: {len(names)} pairs, buf refuses {agreed}, the profile disagrees on {wrong}")
    print(f"  where buf and the bytes differ: {dict(kinds.most_common())}")
    return wrong


def failing(changes: Any) -> set[str]:
    return {f"ours: {change.change}" for change in changes if not change.passes}


def shown(changes: Any) -> list[str]:
    return [f"{change.path} {change.change} {change.policy}" for change in changes]


def main() -> int:
    if shutil.which("buf") is None:
        print("buf is not on the path: go install github.com/bufbuild/buf/cmd/buf@latest")
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as made:
        names = write_pairs(Path(made), count)
        return 1 if sum(compare(Path(made), names, category) for category in PROFILES) else 0


if __name__ == "__main__":
    sys.exit(main())
