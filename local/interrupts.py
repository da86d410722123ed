"""Ctrl-C and `kill`, heard whichever thread the system interrupts."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

type Handler = Callable[[int, FrameType | None], object]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Interrupts:
    """Lets the main thread wait for SIGINT or SIGTERM.

    Handlers run in the main thread, once it is awake; while it waits for a lock or an event, a signal that
    the system gave to another thread does not wake it. What any thread receives is written to a socket.
    """

    told: socket.socket

    def wait(self) -> None:
        """Return with the first signal since listening began; at once where one has been."""
        self.told.recv(1, socket.MSG_PEEK)

    def have_come(self) -> bool:
        """Tell whether there has been a signal since listening began."""
        with suppress(BlockingIOError):
            return bool(self.told.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False


@contextmanager
def interrupts_heard(handler: Handler = lambda *_: None) -> Iterator[Interrupts]:
    """Listen inside the block, in the main thread, and let the handler know as well."""
    told, tells = socket.socketpair()
    with told, tells:
        tells.setblocking(False)
        before = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
        handlers = {name: signal.signal(name, handler) for name in SIGNALS}
        try:
            yield Interrupts(told)
        finally:
            signal.set_wakeup_fd(before)
            for name, earlier in handlers.items():
                signal.signal(name, earlier)
