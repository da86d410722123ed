"""The console: HTML pages for people, made of what the public API answers to their own key.

It holds no rights and keeps nothing: a session is the key itself, sealed in a cookie that only the console
can open. Pages work without a script; with one, those of things under way follow them.
"""

from common.console.server import Console
from common.console.sessions import SessionSeal

__all__ = ["Console", "SessionSeal"]
