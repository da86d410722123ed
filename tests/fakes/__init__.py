"""In-memory ports: small, honest stand-ins that pass the same contract tests as the real adapters."""
