"""Batch scoring: labels for a large collection of photos, in Parquet files, in this process or on Ray."""
