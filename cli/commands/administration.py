"""`admin`: the operators' side, by an operator's key."""

from itertools import islice
from typing import Annotated, Any

import typer

from cli.asking import confirm
from cli.exits import Exit
from cli.failures import CommandError
from cli.options import AsJson, Yes, session_of
from cli.session import Session
from cli.words import moment

admin = typer.Typer(
    help="The operators' side: tenants, audit, what the platform is doing.", no_args_is_help=True
)
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant.")]
DISPATCHER = ("pause", "resume", "run")


@admin.command()
def bootstrap(context: typer.Context, as_json: AsJson = False) -> None:
    """Make what is missing of the central tables and views; a repeat changes nothing."""
    session = session_of(context)
    report = session.operator.bootstrap()
    if as_json:
        session.screen.json(report)
        return
    session.screen.line(report["message"])
    for drift in report["drift"]:
        session.screen.note(drift)


@admin.command()
def overview(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what is due, waiting, running and failed, in all and by plan."""
    session = session_of(context)
    found = session.operator.overview()
    if as_json:
        session.screen.json(found)
        return
    names = (
        "tenants",
        "due",
        "queued",
        "running",
        "admitted_today",
        "completed_today",
        "failed_today",
        "refused_today",
        "dead_letters_today",
    )
    everything = {"plan_name": "all", **found}
    rows = [[plan["plan_name"], *(plan[name] for name in names)] for plan in (*found["plans"], everything)]
    columns = (
        "Plan",
        "Tenants",
        "Due",
        "Queued",
        "Running",
        "Admitted",
        "Completed",
        "Failed",
        "Refused",
        "Dead letters",
    )
    session.screen.table(columns, rows)
    if found["oldest_queued_at"]:
        session.screen.line(f"The longest wait began at {moment(found['oldest_queued_at'])}")
    for held in found["streaming_held"]:
        session.screen.line(f"{held['table']} takes no rows until {moment(held['until'])}", "FAILED")


@admin.command()
def tenants(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 500,
    as_json: AsJson = False,
) -> None:
    """List tenants by ID, those that are no more too."""
    session = session_of(context)
    found = list(islice(session.operator.tenants(min(limit, 500)), limit))
    if as_json:
        session.screen.json(found)
        return
    rows = [
        (
            one["tenant_id"],
            one["status"],
            one["plan_name"],
            one["isolation"] or "shared",
            moment(one["created_at"]),
            one["company_name"],
        )
        for one in found
    ]
    session.screen.table(("Tenant", "State", "Plan", "Isolation", "Since (UTC)", "Company"), rows)


@admin.command()
def tenant(context: typer.Context, tenant_id: TenantId, as_json: AsJson = False) -> None:
    """Show a tenant: profile, plan, use, keys and datasets."""
    session = session_of(context)
    _show_tenant(session, session.operator.tenant(tenant_id), as_json=as_json)


@admin.command()
def suspend(context: typer.Context, tenant_id: TenantId, yes: Yes = False, as_json: AsJson = False) -> None:
    """Stop all that a tenant does."""
    session = session_of(context)
    confirm(session, f"Suspend {tenant_id}? What it runs is cancelled.", is_agreed=yes)
    _show_tenant(session, session.operator.change(tenant_id, {"status": "SUSPENDED"}), as_json=as_json)


@admin.command()
def reactivate(context: typer.Context, tenant_id: TenantId, as_json: AsJson = False) -> None:
    """Let a suspended tenant go on."""
    session = session_of(context)
    _show_tenant(session, session.operator.change(tenant_id, {"status": "ACTIVE"}), as_json=as_json)


@admin.command()
def plan(
    context: typer.Context,
    tenant_id: TenantId,
    plan_name: Annotated[str, typer.Argument(metavar="PLAN", help="STARTER, PROFESSIONAL or SCALE.")],
    as_json: AsJson = False,
) -> None:
    """Give a tenant another plan, from the next admission on."""
    session = session_of(context)
    change = {"subscription_plan": plan_name}
    _show_tenant(session, session.operator.change(tenant_id, change), as_json=as_json)


@admin.command()
def sources(
    context: typer.Context,
    tenant_id: TenantId,
    source: Annotated[
        list[str] | None, typer.Argument(help="A project, dataset or table; none takes all away.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set what a tenant may read beside its own dataset."""
    session = session_of(context)
    kept = session.operator.set_sources(tenant_id, source or [])
    if as_json:
        session.screen.json({"tenant_id": tenant_id, "sources": kept})
        return
    session.screen.line(f"{tenant_id} may read {', '.join(kept) or 'nothing more than every tenant'}")


@admin.command()
def remove(
    context: typer.Context,
    tenant_id: TenantId,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete its dataset now, for good.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a tenant: its keys die, its runs are cancelled; its data stays for a time, or goes at once."""
    session = session_of(context)
    data = "and delete its data now" if delete_data else "and keep its data for the time of grace"
    confirm(session, f"End {tenant_id} {data}?", is_agreed=yes)
    manifest = session.operator.remove(tenant_id, deletes_data=delete_data)
    if as_json:
        session.screen.json(manifest)
    else:
        session.screen.line(
            f"{tenant_id} is ended; its dataset goes at {moment(manifest['data_deleted_after'])}"
        )


@admin.command()
def audit(
    context: typer.Context,
    tenant_id: Annotated[str, typer.Option("--tenant", help="Only what was done to this tenant.")] = "",
    since: Annotated[str, typer.Option(help="Only from then on: RFC 3339.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was done to tenants and keys, newest first: who, what, when, from where."""
    session = session_of(context)
    entries = session.operator.audit(tenant_id=tenant_id or None, since=since or None, limit=min(limit, 500))
    found = list(islice(entries, limit))
    if as_json:
        session.screen.json(found)
        return
    rows = [
        (
            moment(one["occurred_at"]),
            one["actor"],
            one["action"],
            one["outcome"],
            one["tenant_id"],
            one["source"],
        )
        for one in found
    ]
    session.screen.table(("When (UTC)", "Who", "What", "Outcome", "Tenant", "From"), rows)


@admin.command()
def dispatcher(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="pause, resume or run; nothing shows it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the job that calls the dispatcher each minute; pause it, resume it, call it now."""
    session = session_of(context)
    if what and what not in DISPATCHER:
        raise CommandError(f"{what}: write {', '.join(DISPATCHER)}, or nothing", code=Exit.USAGE)
    job = session.operator.tell_dispatcher(what) if what else session.operator.dispatcher()
    if as_json:
        session.screen.json(job)
        return
    session.screen.fields(
        [
            ("State", job["state"]),
            ("Schedule", f"{job['schedule']} ({job['time_zone']})"),
            ("Next", moment(job["next_run_time"])),
            ("Last", moment(job["last_attempt_time"])),
            ("Last failed", job["last_attempt_failed"]),
        ]
    )


def _show_tenant(session: Session, found: Any, *, as_json: bool) -> None:
    if as_json:
        session.screen.json(found)
        return
    subscription = found["subscription"] or {}
    use = found["use"]
    session.screen.fields(
        [
            ("Tenant", found["tenant_id"]),
            ("State", found["status"]),
            ("Company", found["company_name"]),
            ("Administrator", found["admin_email"]),
            ("Plan", subscription.get("plan_name")),
            ("Today", f"{use['pipelines_run_today']} of {subscription.get('daily_limit', '?')} runs"),
            ("This month", f"{use['pipelines_run_month']} of {subscription.get('monthly_limit', '?')} runs"),
            (
                "Running",
                f"{use['concurrent_pipelines_running']} of {subscription.get('concurrent_limit', '?')}",
            ),
            ("Isolation", found["isolation"] or "shared"),
            ("Sources", found["sources"]),
            ("Datasets", found["datasets"]),
            ("Since", moment(found["created_at"])),
            ("Data goes", moment(found["data_deleted_after"])),
        ]
    )
    rows = [
        (
            key["api_key_id"],
            f"{key['key_prefix']}…",
            key["scopes"],
            "active" if key["is_active"] else "revoked",
            moment(key["expires_at"]),
            key["description"],
        )
        for key in found["api_keys"]
    ]
    session.screen.table(("Key", "Begins", "Scopes", "State", "Ends (UTC)", "For"), rows)
