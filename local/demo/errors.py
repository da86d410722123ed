"""What ends a demo early."""


class DemoError(Exception):
    """The demo cannot go on, or did not come to what it should; the message is one readable line."""
