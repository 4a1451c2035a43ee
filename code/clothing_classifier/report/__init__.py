"""One presentation layer: tables and charts of records, rendered for the terminal, as Markdown and as HTML."""
