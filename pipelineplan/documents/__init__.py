"""YAML and JSON files from strangers: read with positions, limits, and no surprises."""

from pipelineplan.documents.document import Document, Path, dotted
from pipelineplan.documents.reading import read_document, read_foreign, read_text
from pipelineplan.documents.root import Root, find_root

__all__ = ["Document", "Path", "Root", "dotted", "find_root", "read_document", "read_foreign", "read_text"]
