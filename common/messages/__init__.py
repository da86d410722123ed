"""The edge towards Pub/Sub: what a pushed message says, and whether it is to come again."""
