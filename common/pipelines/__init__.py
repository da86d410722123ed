"""What tenants upload: pipeline configs, read, checked and compiled."""
