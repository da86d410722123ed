"""The domain under seeded faults and interleavings, on in-memory ports and in virtual time."""
