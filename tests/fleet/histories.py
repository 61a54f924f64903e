"""A repository of plans that people change: commits drawn from a seed, of every kind that reaches a plan.

Plans share a contract and a base, one feeds another, one is in parts, one reads a trace; the settings, a
baseline and comments change as well. Every state is also written beside, as the whole tree it is.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: clicks
name: Clicks
version: 1.0.0
status: active
schema:
  - name: clicks
    physicalType: table
    properties:
      - {name: click_id, logicalType: string, physicalType: varchar, required: true}
      - {name: {FIELD}, logicalType: {TYPE}, physicalType: timestamp, required: {REQUIRED}}
"""
HEAD = "apiVersion: pipelineplan/v1\nkind: DataPlan\n"
BASE = (
    HEAD
    + """\
metadata: {name: base, owner: web, version: '1'}
sources:
  - id: clicks
    partitions: 12
    retention: 7 d
    rate: {average: 4_000/s, peak: {PEAK}/s}
stages:
  - {id: count, inputs: [clicks], parallelism: 8, capacity: 2_000/s}
sinks:
  - {id: board, inputs: [count]}
"""
)
OWN = (
    HEAD
    + """\
metadata: {name: {NAME}, owner: {OWNER}}
sources:
  - id: clicks
    contract: {UP}contracts/clicks.odcs.yaml
    partitions: 12
    rate: {average: 4_000/s, peak: 9_000/s}
    semantics: {event_time: clicked_at}
stages:
  - {id: count, inputs: [clicks], parallelism: 8, capacity: {CAPACITY}/s}
sinks:
  - {id: board, inputs: [count]}
slos:
  - {for: board, freshness: {p95: 5 min}}
"""
)
FED = (
    HEAD
    + """\
metadata: {name: fed}
sources:
  - {id: boards, plan: ../extended.yaml#board, partitions: 12, rate: {average: 1_000/s, peak: 9_500/s}}
stages:
  - {id: sum, inputs: [boards], parallelism: 8, capacity: 3_000/s}
sinks:
  - {id: report, inputs: [sum]}
"""
)
POLICY = """\
policies:
  - {code: ORG101, title: Plans have an owner, about: plan, must: 'has(it.metadata.owner)'{SEVERITY}}
"""
TRACE = "time,rate\n2026-01-01T00:00:00Z,{LOW}\n2026-01-01T12:00:00Z,{HIGH}\n2026-01-02T00:00:00Z,{LOW}\n"
TRACED = FED.replace("name: fed", "name: traced").replace(
    "plan: ../extended.yaml#board, partitions: 12, rate: {average: 1_000/s, peak: 9_500/s}",
    "partitions: 12, rate: {profile: ../traces/day.csv}",
)


def filled(text: str, **values: object) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


@dataclass
class Company:
    """The files as they are now, by path, and the chance that changes them."""

    chance: random.Random
    files: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.files = {
            "pipelineplan.toml": "",
            "contracts/clicks.odcs.yaml": filled(
                CONTRACT, FIELD="clicked_at", TYPE="timestamp", REQUIRED="true"
            ),
            "base.yaml": filled(BASE, PEAK="11_000"),
            "extended.yaml": "extends: base.yaml\nmetadata: {name: extended}\n",
            "own/a.yaml": filled(OWN, NAME="a", OWNER="web", UP="../", CAPACITY="2_000"),
            "own/b.yaml": filled(OWN, NAME="b", OWNER="shop", UP="../", CAPACITY="1_500"),
            "fed/plan.yaml": FED,
            "traced/plan.yaml": TRACED,
            "traces/day.csv": filled(TRACE, LOW=1000, HIGH=2000),
            "parts/a.yaml": filled(BASE, PEAK="9_000").split("stages:")[0].replace("base", "parts"),
            "parts/b.yaml": HEAD + "stages:" + BASE.split("stages:")[1],
            "policies/owner.yaml": filled(POLICY, SEVERITY=""),
        }  # fmt: skip

    def change(self) -> str:
        """Change one thing; what kind it was."""
        kinds: list[Callable[[], None]] = [
            self.contract, self.base, self.own, self.own, self.rename, self.delete, self.fed, self.settings,
            self.trace, self.part, self.policy, self.comment, self.baseline, self.unrelated, self.break_one,
        ]  # fmt: skip
        kind = self.chance.choice(kinds)
        kind()
        return kind.__name__

    def plans(self) -> list[str]:
        return sorted(name for name in self.files if name.startswith("own/") and "baseline" not in name)

    def contract(self) -> None:
        self.files["contracts/clicks.odcs.yaml"] = filled(
            CONTRACT,
            FIELD=self.chance.choice(["clicked_at", "at"]),
            TYPE=self.chance.choice(["timestamp", "string"]),
            REQUIRED=self.chance.choice(["true", "false"]),
        )

    def base(self) -> None:
        self.files["base.yaml"] = filled(BASE, PEAK=self.chance.choice(["9_000", "11_000", "30_000"]))

    def own(self) -> None:
        name = self.chance.choice(self.plans() or ["own/a.yaml"])
        capacity = self.chance.choice(["100", "900", "2_000"])
        level = self.chance.choice(["", ", quality_level: production", ", quality_level: experiment"])
        text = filled(OWN, NAME=Path(name).stem, OWNER=f"web{level}", UP="../", CAPACITY=capacity)
        self.files[name] = text

    def rename(self) -> None:
        for name in self.plans()[:1]:
            self.files[f"own/{Path(name).stem}x.yaml"] = self.files.pop(name)

    def delete(self) -> None:
        for name in self.plans()[2:]:
            del self.files[name]
        self.files[f"own/{self.chance.choice('cde')}.yaml"] = filled(
            OWN, NAME="new", OWNER="web", UP="../", CAPACITY="300"
        )

    def fed(self) -> None:
        peak = self.chance.choice(["1_500", "9_500", "40_000"])
        self.files["fed/plan.yaml"] = FED.replace("9_500", peak)

    def settings(self) -> None:
        lines = ['quality-level = "production"', 'fail-level = "warning"', "baseline = true"]
        policies = '[policies]\nfiles = ["policies/*.yaml"]'
        chosen = self.chance.sample([*lines, policies], self.chance.randint(0, 4))
        self.files["pipelineplan.toml"] = "\n".join(sorted(chosen, key=lambda one: one[0] == "[")) + "\n"

    def trace(self) -> None:
        self.files["traces/day.csv"] = filled(TRACE, LOW=500, HIGH=self.chance.choice([2000, 20_000, 90_000]))

    def part(self) -> None:
        if "parts/c.yaml" in self.files:
            del self.files["parts/c.yaml"]
        else:
            self.files["parts/c.yaml"] = HEAD + "slos: [{for: board, freshness: {p95: 1 s}}]\n"

    def policy(self) -> None:
        severity = self.chance.choice(["", ", severity: warning", ", severity: info"])
        self.files["policies/owner.yaml"] = filled(POLICY, SEVERITY=severity)

    def comment(self) -> None:
        for name in self.plans()[:1]:
            text = self.files[name]
            mark = "  # pipelineplan: ignore CAP, CHK -- as found"
            bare = text.replace(mark, "")
            self.files[name] = bare if bare != text else text.replace("stages:", f"stages:{mark}")

    def baseline(self) -> None:
        entry = '  - {fingerprint: "0000000000000000", reason: as found}\n'
        self.files["own/a.baseline.yaml"] = f"kind: Baseline\naccepted:\n{entry}"

    def unrelated(self) -> None:
        self.files["README.md"] = f"words {self.chance.random()}\n"
        self.files["own/b.yaml"] = "# words\n" + self.files.get("own/b.yaml", FED)

    def break_one(self) -> None:
        name = "fed/plan.yaml"
        broken = self.files[name].endswith("typo: 1\n")
        self.files[name] = FED if broken else FED + "typo: 1\n"

    def write(self, folder: Path) -> None:
        """Make the files of `folder` exactly these; `.git` is left alone."""
        folder.mkdir(parents=True, exist_ok=True)
        for entry in folder.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular, with no configuration but this."""
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
