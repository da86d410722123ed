"""The README's pictures of the console, taken of the console itself: `make pictures`."""
