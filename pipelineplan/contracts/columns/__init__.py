"""Columns of files and tables: Arrow and Parquet by name, Iceberg by field id, and the columns of sinks."""
