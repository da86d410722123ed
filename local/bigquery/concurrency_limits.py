"""A lane: some run, some more wait, the rest is turned away."""

import asyncio


class ConcurrencyLimit:
    """Room for `running` at once and `queued` that wait for them."""

    def __init__(self, running: int, queued: int) -> None:
        self._slots = asyncio.Semaphore(running)
        self._room = running + queued
        self._inside = 0

    @property
    def is_full(self) -> bool:
        """Tell whether one more would be turned away."""
        return self._inside >= self._room

    async def enter(self) -> None:
        """Wait for a slot; look at `is_full` first, without an await between."""
        self._inside += 1
        try:
            await self._slots.acquire()
        except BaseException:
            self._inside -= 1
            raise

    def leave(self) -> None:
        """Give the slot to the next in the queue."""
        self._inside -= 1
        self._slots.release()
