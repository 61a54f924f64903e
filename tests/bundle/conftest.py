from pathlib import Path

import pytest

from pipelineplan.bundle import Contents, compile_contents
from pipelineplan.plan import Plan, read_plan
from pipelineplan.rules import judge
from pipelineplan.simulation import simulate

EXAMPLES = Path(__file__).parents[2] / "examples"


def compiled(plan: Plan, *, simulated: bool = False) -> Contents:
    result = simulate(plan) if simulated else None
    return compile_contents(plan, judge(plan), result, as_of="2026-11-21", seed=7, version="9.9.9")


@pytest.fixture(scope="session")
def orders() -> Contents:
    return compiled(read_plan(EXAMPLES / "orders-to-warehouse" / "plan.yaml"), simulated=True)


@pytest.fixture(scope="session")
def demo() -> Contents:
    return compiled(read_plan(EXAMPLES / "demo-fails" / "plan.yaml"), simulated=True)


@pytest.fixture(scope="session")
def silent() -> Contents:
    """A plan that was neither simulated nor tested on data."""
    return compiled(read_plan(EXAMPLES / "demo-fails" / "plan.yaml"))


HOSTILE = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata:
  name: hostile
  owner: "<script>alert('owner')</script>"
context:
  problem: "</style><img src=x onerror=alert(1)> | `code` [link](javascript:alert(2))
    \\e[31mred\\e[0m \\u202Eflip"
  goals: ["password=hunter2hunter2", "jdbc://loader:s3cr3t-pw@db/orders", "AKIAABCDEFGHIJKLMNOP"]
sources:
  - {id: clicks, partitions: 12, retention: 3 d, owner: "\\"><script>alert(3)</script>",
     rate: {average: 4_000/s, peak: 11_000/s}, keys: {field: "x\\"] --> y[[<b>pwn</b>]]", hottest_key: 1 %}}
stages:
  - {id: count, inputs: [{from: clicks, exchange: keyed, key: "a\\"] --> <script>alert(4)</script> %% `"}],
     parallelism: 8, capacity: 2_000/s, purpose: "```\\n# not a heading\\n<script>alert(5)</script>"}
sinks:
  - {id: dashboard, inputs: [count], owner: "' OR 1=1; --"}
cutover:
  steps: [{id: own-thing, does: "- [x] <script>alert(6)</script>", command: "echo '```'; rm -rf /"}]
rollback: {triggers: ["@everyone http://evil.example"]}
"""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    file = tmp_path_factory.mktemp("hostile") / "plan.yaml"
    file.write_text(HOSTILE)
    return compiled(read_plan(file), simulated=True)
