# mypy: disable-error-code="misc"
# ruff: noqa: TID253 -- a program of its own, which does nothing without Apache Beam
"""Python workers for the task managers of this machine, each in an interpreter of its own.

    python -m pipelineplan.engines.worker_pool PORT

Beam's own pool (`apache_beam.runners.worker.worker_pool_main`) listens to every network, and ends
workers by their id. Task managers count ids from 1 each, so on one machine the first that is
finished would end the other's worker. Here a worker ends when its task manager closes the line.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2 as messages
from apache_beam.portability.api import beam_fn_api_pb2_grpc as services
from apache_beam.utils.thread_pool_executor import shared_unbounded_instance

_WORKER = """\
import sys
from apache_beam.runners.worker.sdk_worker import SdkHarness
SdkHarness(sys.argv[1], worker_id=sys.argv[2], state_cache_size=0, data_buffer_time_limit_ms=-1).run()
"""


class Pool(services.BeamFnExternalWorkerPoolServicer):
    """Starts a worker for whoever asks, and leaves its end to the line between the two."""

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 -- Beam's own signature
        """Start an interpreter that serves the task manager which asks."""
        command = [sys.executable, "-c", _WORKER, request.control_endpoint.url, request.worker_id]
        subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- our own interpreter
        return messages.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 -- Beam's own signature
        """Nothing: the worker has ended or is about to."""
        return messages.StopWorkerResponse()


def main(port: int) -> None:
    """Serve until the process is ended."""
    server = grpc.server(shared_unbounded_instance())
    services.add_BeamFnExternalWorkerPoolServicer_to_server(Pool(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]))
