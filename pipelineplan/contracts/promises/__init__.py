"""Contract against contract: what the one counts on, and what the other promises."""

from pipelineplan.contracts.promises.compare import promised
from pipelineplan.contracts.promises.version import ContractVersion, note_ages, read_version

__all__ = ["ContractVersion", "note_ages", "promised", "read_version"]
