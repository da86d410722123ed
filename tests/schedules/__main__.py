"""`make check-schedules`: schedules against brute force, in all zones, around all changes of clocks."""

import sys
from concurrent.futures import ProcessPoolExecutor

from tests.unit.schedules.clock_changes import changes_of, differences, zones


def check(zone: str) -> tuple[str, int, list[str]]:
    """Look at all changes of one zone; those of many are the same, and yet each is looked at."""
    changes = list(changes_of(zone))
    return zone, len(changes), [difference for change in changes for difference in differences(change)]


def main() -> int:
    """Check all zones, and say what differs."""
    names, checked, found = zones(), 0, []
    with ProcessPoolExecutor() as pool:
        for number, (zone, changes, differing) in enumerate(pool.map(check, names), start=1):
            checked += changes
            found += differing
            print(
                f"{number}/{len(names)} {zone}: {changes} changes, {len(differing)} differences", flush=True
            )
    print("\n".join([*found, f"{checked} changes of clocks in {len(names)} zones: {len(found)} differences"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
