"""The sections of a model's report, a file for each part of its story: a `Subject` in, a `Section` out."""
