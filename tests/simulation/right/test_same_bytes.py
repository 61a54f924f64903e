"""The same seed gives the same bytes in another process, folder, locale and zone, serial or parallel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOLDS = Path(__file__).parents[3] / "examples" / "demo-holds" / "plan.yaml"


def written(folder: Path, jobs: int, **environment: str) -> dict[str, bytes]:
    """What a fresh process prints and writes there: JSON, and the tables."""
    folder.mkdir()
    shutil.copy(HOLDS, folder / "plan.yaml")
    asked = ["simulate", "plan.yaml", "--replications", "6", "--seed", "7", "--jobs", str(jobs)]
    done = subprocess.run(
        [sys.executable, "-m", "pipelineplan", *asked, "--format", "json", "-o", "out"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    )
    tables = {file.name: file.read_bytes() for file in sorted((folder / "out").glob("*.csv"))}
    return {"json": done.stdout, **tables}


def test_the_same_seed_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    one = written(tmp_path / "here", 1, PYTHONHASHSEED="0", LC_ALL="C", TZ="UTC")
    other = written(
        tmp_path / "another folder", 2, PYTHONHASHSEED="4711", LC_ALL="C.UTF-8", LANG="de_DE", TZ="Asia/Tokyo"
    )
    assert {"json", "figures.csv", "curves.csv", "bands.csv"} <= one.keys()
    assert one == other
