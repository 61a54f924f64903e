"""JSON Schema: containment of accepted values, with a witness where there is none."""

from pipelineplan.contracts.json_schema.contain import contain
from pipelineplan.contracts.json_schema.document import SchemaDocument, read_schema

__all__ = ["SchemaDocument", "contain", "read_schema"]
