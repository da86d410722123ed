"""A test of a pipeline's file as it is shown: passed, or each row that differs."""

import json

from cli.screen import Screen
from common.client.configs import Tested


def show_test(screen: Screen, one: Tested) -> None:
    """Show a test, and where it has failed each row that differs."""
    status = "COMPLETED" if one["has_passed"] else "FAILED"
    screen.line(f"{'passed' if one['has_passed'] else 'FAILED'}  {one['step_id']}: {one['name']}", status)
    for word, rows in (("missing", one["missing"]), ("unexpected", one["unexpected"])):
        for row in rows:
            times = f" ({row['times']} times)" if row["times"] > 1 else ""
            screen.line(f"  {word}{times}: {json.dumps(row['row'], ensure_ascii=False)}")
    if one["error_message"]:
        screen.line(f"  {one['error_message']}")
