"""`quota`, `keys`, `credentials`: the tenant's own things."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.asking import confirm
from cli.exits import Exit
from cli.failures import CommandError
from cli.handing_over import KeyTaker, OneTo
from cli.options import AsJson, Yes, session_of
from cli.screen import Screen
from cli.words import moment, size
from common import strict_json
from common.client.credentials import Credential

keys = typer.Typer(help="List your API keys; make, rotate and revoke them.", invoke_without_command=True)
credentials = typer.Typer(
    help="List credentials for your own cloud; keep and delete them.", invoke_without_command=True
)
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The key's ID, as the list gives it.")]
CredentialId = Annotated[str, typer.Argument(metavar="CREDENTIAL", help="The credential's ID.")]


def quota(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the plan's limits and the use of them."""
    session = session_of(context)
    found = session.client.tenant.quota()
    if as_json:
        session.screen.json(found)
        return
    session.screen.line(f"{found['tenant_id']}, plan {found['plan_name']}")
    uses = (("daily", found["daily"]), ("monthly", found["monthly"]), ("concurrent", found["concurrent"]))
    rows = [
        (name, use["used"], use["limit"], use["remaining"], moment(use["resets_at"])) for name, use in uses
    ]
    session.screen.table(("Limit", "Used", "Of", "Left", "Falls again (UTC)"), rows)
    spent = found["spending"]
    session.screen.line(f"This month {size(spent['used'])} were billed, {size(spent['held'])} are held")
    for one in found["budgets"]:
        given = {name: value for name, value in one["budget"].items() if value is not None}
        told = ", ".join(
            f"{name} {value if name == 'max_cost_per_month' else size(value)}"
            for name, value in given.items()
        )
        session.screen.line(f"Budget of the {one['scope']}: {told}")


@keys.callback()
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """List your API keys by their beginnings."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    found = session.client.keys.list()
    if as_json:
        session.screen.json(found)
        return
    rows = [
        (
            one["api_key_id"],
            f"{one['key_prefix']}…",
            one["scopes"],
            "active" if one["is_active"] else "revoked",
            moment(one["expires_at"]),
            moment(one["last_used_at"]),
            one["description"],
        )
        for one in found
    ]
    session.screen.table(("Key", "Begins", "Scopes", "State", "Ends (UTC)", "Used (UTC)", "For"), rows)


@keys.command("new")
def new_key(
    context: typer.Context,
    to: OneTo,
    description: Annotated[str, typer.Option(help="What the key is for.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="run, read, manage or data; else your own key's.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it is refused.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key, and hand it over where --to says; it is shown nowhere else."""
    session = session_of(context)
    taker = KeyTaker.of(session, to)
    request: dict[str, object] = {}
    request |= {"description": description} if description else {}
    request |= {"scopes": scope} if scope else {}
    request |= {"expires_in_days": days} if days else {}
    taker.take(session.client.keys.issue(request), as_json=as_json)


@keys.command()
def rotate(
    context: typer.Context,
    api_key_id: KeyId,
    to: OneTo,
    overlap_hours: Annotated[
        int | None, typer.Option(min=0, max=720, help="Hours until the old key is refused.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replace an API key by a new one; the old one lives on for a time."""
    session = session_of(context)
    taker = KeyTaker.of(session, to)
    taker.take(session.client.keys.rotate(api_key_id, overlap_hours), as_json=as_json)


@keys.command()
def revoke(context: typer.Context, api_key_id: KeyId, yes: Yes = False, as_json: AsJson = False) -> None:
    """Revoke an API key: it is refused everywhere within a minute."""
    session = session_of(context)
    confirm(session, f"Revoke the key {api_key_id}?", is_agreed=yes)
    revoked = session.client.keys.revoke(api_key_id)
    if as_json:
        session.screen.json(revoked)
    else:
        session.screen.line(f"{revoked['key_prefix']}… is revoked")


@credentials.callback()
def list_credentials(context: typer.Context, as_json: AsJson = False) -> None:
    """List your credentials, without their secrets."""
    if context.invoked_subcommand is None:
        session = session_of(context)
        _show_credentials(session.screen, session.client.credentials.list(), as_json=as_json)


@credentials.command()
def put(
    context: typer.Context,
    credential_id: CredentialId,
    file: Annotated[
        Path,
        typer.Option(
            help="The secret as JSON, such as a service account's key file; - reads it from the input."
        ),
    ],
    provider: Annotated[str, typer.Option(help="GCP, AWS or AZURE.")] = "GCP",
    as_json: AsJson = False,
) -> None:
    """Keep a credential for your own cloud; no answer ever shows it."""
    session = session_of(context)
    try:
        secret = strict_json.parse(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read as JSON", code=Exit.USAGE) from error
    if not isinstance(secret, dict):
        raise CommandError(f"{file} holds no JSON object", code=Exit.USAGE)
    kept = session.client.credentials.keep(credential_id, provider.upper(), secret)
    _show_credentials(session.screen, [kept], as_json=as_json)


@credentials.command()
def delete(context: typer.Context, credential_id: CredentialId, yes: Yes = False) -> None:
    """Delete a credential."""
    session = session_of(context)
    confirm(session, f"Delete the credential {credential_id}?", is_agreed=yes)
    session.client.credentials.delete(credential_id)
    session.screen.line(f"{credential_id} is deleted")


def _show_credentials(screen: Screen, found: list[Credential], *, as_json: bool) -> None:
    if as_json:
        screen.json(found)
        return
    rows = [
        (one["credential_id"], one["provider"], one["account"], one["project_id"], moment(one["updated_at"]))
        for one in found
    ]
    screen.table(("Credential", "Provider", "Account", "Project", "Changed (UTC)"), rows)
