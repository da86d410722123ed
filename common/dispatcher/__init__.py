"""The minute's work: firings, the queue, the sweeper and the roll-ups."""
