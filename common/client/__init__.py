"""A client of the public API: requests by a caller's own key, answers with types, problems as exceptions.

    client = Client(Api(url="https://api.example.com", key=Key.tenant(text)))
    begun = client.runs.start("daily", {"date": "2024-01-01"})
    for status in follow(lambda wait: client.runs.status(begun["pipeline_logging_id"], wait)):
        ...

It knows the API's document and nothing of the platform's inside: it can do what curl can.
"""

from common.client.api import Answer, Api
from common.client.calls import Call, Content, Key
from common.client.client import Client
from common.client.following import ENDED, StillRunning, follow
from common.client.operator import Operator
from common.client.problems import ApiError, BrokenRule, Problem, Unreachable, UnreadableAnswer
from common.client.retries import Retries

__all__ = [
    "ENDED",
    "Answer",
    "Api",
    "ApiError",
    "BrokenRule",
    "Call",
    "Client",
    "Content",
    "Key",
    "Operator",
    "Problem",
    "Retries",
    "StillRunning",
    "Unreachable",
    "UnreadableAnswer",
    "follow",
]
