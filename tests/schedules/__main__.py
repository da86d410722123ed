"""`make check-schedules`: schedules against brute force, in all zones, around all changes of clocks."""

import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import chain

from tests.unit.schedules.clock_changes import Change, changes_of, differences, offsets_around, zones

EVERY = 100


def found_in(zone: str) -> list[tuple[Change, object]]:
    """List a zone's changes, each with what tells whether another zone's is the same."""
    return [(change, (change.at, offsets_around(change))) for change in changes_of(zone)]


def main() -> int:
    """Check all zones, and say what differs. Zones whose clocks show the same around a change are one."""
    began = time.monotonic()
    alike: defaultdict[object, list[Change]] = defaultdict(list)
    found: list[str] = []
    with ProcessPoolExecutor() as pool:
        for change, key in chain.from_iterable(pool.map(found_in, zones(), chunksize=10)):
            alike[key].append(change)
        changes = [of_zones[0] for of_zones in alike.values()]
        for number, differing in enumerate(pool.map(differences, changes, chunksize=10), start=1):
            found += differing
            if number % EVERY == 0:
                print(f"{number}/{len(changes)} changes: {len(found)} differences", flush=True)
    of_all = sum(map(len, alike.values()))
    print("\n".join(found))
    print(
        f"{of_all} changes of clocks in {len(zones())} zones, {len(changes)} of them unlike: "
        f"{len(found)} differences, in {time.monotonic() - began:.0f} seconds"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
