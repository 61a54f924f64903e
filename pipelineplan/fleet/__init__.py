"""Many plans at once: judged beside each other, kept from last time, and what a change brings.

check_plans([...])     every plan of a repository     Fleet(results, problems)
check_changed(...)     only what is new since a git revision
"""

from pipelineplan.fleet.checking import Asked, Fleet, check_plans
from pipelineplan.fleet.keeping import cache_folder

__all__ = ["Asked", "Fleet", "cache_folder", "check_plans"]
