"""What happens by itself, each minute."""
