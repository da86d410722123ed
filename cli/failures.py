"""What goes wrong, as it is told: the place, the rule, and what to do next."""

from dataclasses import dataclass, field

from cli.exits import Exit, exit_of
from common.client import ApiError, BrokenRule, Problem, Unreachable, UnreadableAnswer

NEXT_STEPS = {
    "unauthenticated": "Give a key that is valid: `convergence login`, or CONVERGENCE_API_KEY.",
    "forbidden": "Use a key with the scope that is needed; `convergence keys` lists yours.",
    "not-found": "Look the name up: `convergence history` lists runs, `convergence diff` compares pipelines.",
    "conflict": "Look at it first, then ask again.",
    "invalid-input": "Mend each place and ask again.",
    "malformed-input": "Mend it and ask again; `convergence validate FILE` looks at a file by itself.",
    "input-too-large": "Make it smaller: a pipeline file has 256 KiB at the most.",
    "quota-exceeded": "Wait until then, let the run wait by --queue, or ask the operator for another plan.",
    "rate-limited": "Wait, then ask again.",
    "unavailable": "Ask again in a minute.",
    "not-configured": "Ask the operator to set it up.",
    "internal": "Report it with the request ID.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One broken rule: where it is, and what it says."""

    where: str
    rule: str


class CommandError(Exception):
    """The command cannot do what it was asked for; the words are for people and hold no secret."""

    def __init__(self, message: str, next_step: str = "", code: Exit = Exit.REFUSED) -> None:
        super().__init__(message)
        self.failure = Failure(message=message, next_step=next_step, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is told of an error."""

    message: str
    next_step: str
    code: Exit
    places: tuple[Place, ...] = field(default=())


def failure_of(error: ApiError) -> Failure:
    """Put a call that came to no answer into words."""
    match error:
        case Problem():
            return _of_problem(error)
        case Unreachable():
            step = (
                "Check the address (`convergence login` keeps it, CONVERGENCE_URL overrides) and the network."
            )
        case UnreadableAnswer():
            step = "Check the address: something else answers there."
        case _:
            step = "It goes on by itself; `convergence status` shows how far it is."
    return Failure(message=str(error), next_step=step, code=exit_of(error))


def _of_problem(problem: Problem) -> Failure:
    places = tuple(Place(where=_where(one), rule=one.rule) for one in problem.errors)
    message = ": ".join(part for part in (problem.title or f"HTTP {problem.status}", problem.detail) if part)
    resets = (
        f" It is worth trying again from {problem.members['resets_at']} on."
        if problem.members.get("resets_at")
        else ""
    )
    request = f" Request ID: {problem.request_id}" if problem.request_id else ""
    step = NEXT_STEPS.get(problem.kind, "") + resets
    return Failure(message=message + request, next_step=step.strip(), code=exit_of(problem), places=places)


def _where(broken: BrokenRule) -> str:
    column = f", column {broken.column}" if broken.column else ""
    line = f"line {broken.line}{column}" if broken.line else ""
    known = [line, f"step {broken.step}" if broken.step else "", broken.pointer or "/"]
    return ", ".join(part for part in known if part)
