"""Policy of older TOMOYO versions, written in today's language (pure)."""
