"""The policy language: grammar, values, parser, printer, edits (pure)."""
