"""Let many clients work at once: `make load-test TENANTS=50 CLIENTS=2`, each with two levels of its own."""

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.platforms import ADMIN_KEY, running_platform
from tests.e2e.tenants import Tenant, ask
from tests.load.clients import Answers, LoadClient

AT_ONCE = 2
"""Tenants that are onboarded at once."""


def main() -> int:
    """Serve the load, and return 1 where an answer is an error of the server's or a run has not completed."""
    parser = argparse.ArgumentParser(prog="make load-test", description=__doc__)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--clients", type=int, default=2, help="of each tenant")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="convergence-load-"))
    answers = load(folder, given.tenants, given.clients)
    for (what, status), count in sorted(answers.counts.items()):
        print(f"{what:<10} {status} {count:>7,}")
    print(*answers.wrong, sep="\n")
    print(
        f"{answers.counts.total():,} answers to {given.tenants * given.clients} clients:"
        f" {len(answers.wrong)} wrong; the slowest took {answers.slowest_seconds:.1f} s"
    )
    if answers.wrong:
        print(f"the platform's log is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def load(folder: Path, tenants: int, clients: int) -> Answers:
    """Onboard the tenants, let all of their clients work at once, and return what they were answered."""
    answers = Answers()
    log = folder / "platform.log"
    with running_platform(log, ONBOARDINGS_PER_SOURCE="1000", ONBOARDINGS_PER_HOUR="1000") as platform:
        answer = ask(platform.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY)
        assert answer.status == 200, answer.body
        with ThreadPoolExecutor(AT_ONCE) as pool:
            onboarded = list(pool.map(lambda _: _onboarded(platform.url, answers), range(tenants)))
        print(f"{tenants} tenants are onboarded", flush=True)
        began = time.monotonic()
        all_clients = [
            LoadClient(tenant=tenant, number=number, answers=answers)
            for tenant in onboarded
            for number in range(clients)
        ]
        with ThreadPoolExecutor(len(all_clients)) as pool:
            for done in [pool.submit(client.work) for client in all_clients]:
                done.result()
        print(f"all runs have ended after {time.monotonic() - began:.0f} s", flush=True)
    return answers


def _onboarded(url: str, answers: Answers) -> Tenant:
    """Onboard a tenant; what is refused is noted, and asked again."""
    while True:
        try:
            return Tenant.onboard(url)
        except AssertionError as refused:
            answers.complain(f"onboard: {refused}")
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
