"""The plans and tools that tests of exports share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("exporting", Path(__file__).with_name("exporting.py"))
assert _spec is not None
assert _spec.loader is not None
exporting = importlib.util.module_from_spec(_spec)
sys.modules["exporting"] = exporting
_spec.loader.exec_module(exporting)
