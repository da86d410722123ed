"""`login`, `logout`, `open`, `completion`: who the user is, and where."""

import sys
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

from cli.exits import Exit
from cli.failures import CommandError
from cli.options import AsJson, session_of
from cli.profiles import Profile
from cli.session import Session, checked_address, tenant_of
from common.client import Api, Client, Key, Operator

SHELLS = ("bash", "zsh", "fish")


def login(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(help="Where the platform is, https://…", prompt="The platform's address")
    ],
    is_operator: Annotated[bool, typer.Option("--operator", help="The key is an operator's.")] = False,
    from_input: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key from the standard input.")
    ] = False,
    in_file: Annotated[
        bool, typer.Option(help="Keep the key in a file of your own, not in the keyring.")
    ] = False,
    allow_http: Annotated[
        bool, typer.Option(help="Take http:// to another machine: the key can be read on its way.")
    ] = False,
) -> None:
    """Keep a platform's address and your key for it, under the profile in use.

    The key is tried, then kept in the system's keyring. It is read from a hidden prompt or from the standard
    input, never from the command's words, which every user of the machine can see.
    """
    session = session_of(context)
    address = checked_address(url, allows_http=allow_http)
    text = (
        sys.stdin.readline().strip() if from_input else typer.prompt("Key", hide_input=True, err=True).strip()
    )
    if not text:
        raise CommandError("no key was given", code=Exit.USAGE)
    key = Key.operator(text) if is_operator else Key.tenant(text)
    who = _tried(Api(url=address, key=key), is_operator=is_operator)
    where = session.keyrings.keep(session.profile_name, text, in_file=in_file)
    session.profiles.keep(
        Profile(
            name=session.profile_name,
            url=address,
            tenant=tenant_of(text) if not is_operator else "",
            is_operator=is_operator,
        )
    )
    session.screen.line(f"{who} at {address}; the key is in {where}, for the profile {session.profile_name}")


def _tried(api: Api, *, is_operator: bool) -> str:
    if is_operator:
        Operator(api).overview()
        return "An operator"
    quota = Client(api).tenant.quota()
    return f"{quota['tenant_id']}, plan {quota['plan_name']},"


def logout(context: typer.Context) -> None:
    """Forget the profile in use, its key first."""
    session = session_of(context)
    session.keyrings.forget(session.profile_name)
    session.profiles.forget(session.profile_name)
    session.screen.line(f"The profile {session.profile_name} and its key are forgotten")


def open_console(context: typer.Context, as_json: AsJson = False) -> None:
    """Open the console in the browser, or print its address where there is none."""
    session = session_of(context)
    address = console_address(session)
    if as_json:
        session.screen.json({"url": address})
        return
    session.screen.line(address)
    if session.screen.is_terminal:
        typer.launch(address)


def console_address(session: Session) -> str:
    """Return where the console is: at the platform's `/`."""
    return session.address(allows_http=True).replace("{function}", "console") + "/"


def completion(
    context: typer.Context, shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")] = "bash"
) -> None:
    """Print the script that completes commands: `source <(convergence completion bash)`."""
    if shell not in SHELLS:
        raise CommandError(f"no script for {shell}: {', '.join(SHELLS)}", code=Exit.USAGE)
    script = get_completion_script(prog_name="convergence", complete_var="_CONVERGENCE_COMPLETE", shell=shell)
    session_of(context).screen.text(script)
