"""What Flink itself makes of the configuration that was written for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from exporting import ORDERS

from pipelineplan import InputError, export
from pipelineplan.engines.flink_environment import find_flink

READ = """
import json, sys
from pyflink.java_gateway import get_gateway

flink = get_gateway().jvm.org.apache.flink
conf = flink.configuration.GlobalConfiguration.loadConfiguration(sys.argv[1])
checkpoints, state = flink.configuration.CheckpointingOptions, flink.configuration.StateBackendOptions
pipeline, core = flink.configuration.PipelineOptions, flink.configuration.CoreOptions
tables = flink.table.api.config.ExecutionConfigOptions
print(json.dumps({
    "interval": conf.get(checkpoints.CHECKPOINTING_INTERVAL).toMillis(),
    "timeout": conf.get(checkpoints.CHECKPOINTING_TIMEOUT).toMillis(),
    "pause": conf.get(checkpoints.MIN_PAUSE_BETWEEN_CHECKPOINTS).toMillis(),
    "mode": conf.get(checkpoints.CHECKPOINTING_CONSISTENCY_MODE).toString(),
    "unaligned": conf.get(checkpoints.ENABLE_UNALIGNED),
    "failures": conf.get(checkpoints.TOLERABLE_FAILURE_NUMBER),
    "incremental": conf.get(checkpoints.INCREMENTAL_CHECKPOINTS),
    "backend": conf.get(state.STATE_BACKEND),
    "max": conf.get(pipeline.MAX_PARALLELISM),
    "now": conf.get(core.DEFAULT_PARALLELISM),
    "watermarks": conf.get(pipeline.AUTO_WATERMARK_INTERVAL).toMillis(),
    "idle": conf.get(tables.TABLE_EXEC_SOURCE_IDLE_TIMEOUT).toMillis(),
}))
"""


@pytest.mark.slow
def test_flink_reads_what_the_plan_says(tmp_path: Path) -> None:
    try:
        flink = find_flink()
    except InputError as error:
        pytest.skip(str(error))
    export(ORDERS, "flink").write(tmp_path / "config.yaml")
    done = subprocess.run(
        [flink.python, "-c", READ, tmp_path],
        env={"JAVA_HOME": str(flink.java.parents[1]), "PATH": f"{flink.java.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "interval": 60_000,
        "timeout": 180_000,
        "pause": 30_000,
        "mode": "EXACTLY_ONCE",
        "unaligned": False,
        "failures": 2,
        "incremental": True,
        "backend": "rocksdb",
        "max": 120,
        "now": 18,
        "watermarks": 200,
        "idle": 45_000,
    }
