"""Long measurements: each program writes a record with its provenance to results/, which the documents show."""
