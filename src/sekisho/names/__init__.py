"""Words, pathnames and pathname patterns: how names are written and compared (pure)."""
