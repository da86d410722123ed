"""Setting the platform up: the central dataset, its tables from their JSON files, and its views."""
