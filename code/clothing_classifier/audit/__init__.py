"""Faults of a data set, found before training: corrupt files, duplicates, leaks, suspect labels."""

from clothing_classifier.audit.auditor import Audit, audit
from clothing_classifier.audit.findings import Finding, Severity, write_findings

__all__ = ["Audit", "Finding", "Severity", "audit", "write_findings"]
