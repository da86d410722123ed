-- Judge an expression of a tenant's by itself, as part of a statement that nobody runs.
-- Parameters: those that the expression uses
SELECT ${condition} FROM ${table}
