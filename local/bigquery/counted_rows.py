"""What BigQuery refuses where rows are counted: LIMIT, OFFSET, COUNT, and distinct values in a window."""

from collections.abc import Iterator

from sqlglot import exp


def faults_of_counts(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """Find what is wrong with a part of a query, each with the part whose place is told."""
    if isinstance(node, exp.Limit) and (
        not isinstance(node.expression, exp.Literal | exp.Parameter | exp.Placeholder | exp.Cast)
        or (isinstance(node.expression, exp.Literal) and node.expression.is_string)
    ):
        yield "LIMIT expects an integer literal or parameter", node.expression
    if isinstance(node, exp.Offset) and node.parent is not None and not node.parent.args.get("limit"):
        number = node.expression.name
        yield f'Syntax error: Expected end of input but got integer literal "{number}"', node.expression
    if isinstance(node, exp.Count):
        if node.this is None:
            yield "No matching signature for aggregate function COUNT with no arguments", node
        elif isinstance(node.this, exp.Distinct) and len(node.this.expressions) > 1:
            yield "No matching signature for aggregate function COUNT: DISTINCT takes one argument", node
    if isinstance(node, exp.Window) and node.args.get("order") and isinstance(node.this.this, exp.Distinct):
        yield "Window ORDER BY is not allowed if DISTINCT is specified", node
