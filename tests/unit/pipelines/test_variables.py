"""Variables: identifiers are put in, values are bound, and each is known by where it stands."""

import pytest

from common.pipelines.variables import Variables

VARIABLES = Variables(
    identifiers={"tenant_id": "acme", "project_id": "platform-prod"},
    parameters=frozenset({"date", "regions"}),
)


@pytest.mark.parametrize(
    ("sql", "rendered"),
    [
        ("SELECT * FROM ${tenant_id}.t", "SELECT * FROM `acme`.t"),
        ("SELECT * FROM ${project_id}.${tenant_id}.t", "SELECT * FROM `platform-prod`.`acme`.t"),
        ("SELECT * FROM `${project_id}.${tenant_id}.t`", "SELECT * FROM `platform-prod.acme.t`"),
        ("SELECT * FROM `${project_id}`.`${tenant_id}`.t", "SELECT * FROM `platform-prod`.`acme`.t"),
        ("SELECT * FROM events_${tenant_id}", "SELECT * FROM events_acme"),
        ("SELECT * FROM ${tenant_id}_archive.t", "SELECT * FROM acme_archive.t"),
        ("SELECT '${tenant_id}' AS tenant", "SELECT 'acme' AS tenant"),
        ('SELECT """${tenant_id}"""', 'SELECT """acme"""'),
        ("SELECT 1 -- ${anything} of ${tenant_id}\n", "SELECT 1 -- ${anything} of ${tenant_id}\n"),
        ("SELECT 1 /* ${date} */", "SELECT 1 /* ${date} */"),
    ],
)
def test_identifiers_are_put_in_wherever_they_stand_but_in_comments(sql: str, rendered: str) -> None:
    result = VARIABLES.render(sql)
    assert (result.sql, result.parameters, result.reasons) == (rendered, (), ())


def test_a_declared_parameter_is_bound_not_pasted() -> None:
    result = VARIABLES.render("SELECT * FROM t WHERE d = ${date} AND (r IN UNNEST(@regions) OR d < ${date})")
    assert result.sql == "SELECT * FROM t WHERE d = @date AND (r IN UNNEST(@regions) OR d < @date)"
    assert result.parameters == ("date", "regions")
    assert result.reasons == ()


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT *\nFROM t WHERE d = '${date}'",
            "has ${date} inside a string in line 2, column 18: write ${date} without quotes",
        ),
        ("SELECT DATE('${date}')", "inside a string in line 1, column 13: write ${date} without quotes"),
        ("SELECT r'${date}'", "inside a string in line 1"),
        (
            "SELECT * FROM `t_${date}`",
            "has ${date} inside backticks in line 1, column 15: a value cannot stand for a name",
        ),
        (
            "SELECT ${dat}",
            "uses ${dat} in line 1, column 8: no parameter of this name is declared under /parameters",
        ),
        ("SELECT\n@dates", "uses @dates in line 2, column 1: no parameter of this name is declared"),
        ("SELECT @Date", "did you mean date?"),
        ("SELECT @tenant_id", "uses @tenant_id in line 1, column 8: it is no parameter: write ${tenant_id}"),
        ("SELECT '${xyz}'", "inside a string in line 1, column 8: no parameter of this name is declared"),
        ("SELECT ${xyz}", "known are date, project_id, regions, tenant_id"),
        ("SELECT ${ date }", "has ${ date } in line 1, column 8: a variable is written ${name}"),
        ("SELECT ${}", "a variable is written ${name}"),
        ("SELECT ${1}", "a variable is written ${name}"),
        ("SELECT ${date'; DROP TABLE t; --}", "a variable is written ${name}"),
    ],
)
def test_what_no_value_can_take_the_place_of_is_told_why(sql: str, reason: str) -> None:
    reasons = VARIABLES.render(sql).reasons
    assert len(reasons) == 1
    assert reason in reasons[0]


def test_each_broken_rule_is_told_once() -> None:
    assert len(VARIABLES.render("SELECT ${a}, ${a}, ${b}").reasons) == 2


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("t", ("t",)),
        ("${tenant_id}.t", ("acme", "t")),
        ("`${tenant_id}.t`", ("acme", "t")),
        ("`${project_id}.${tenant_id}.t`", ("platform-prod", "acme", "t")),
        ("`${project_id}`.${tenant_id}.`t`", ("platform-prod", "acme", "t")),
        ("platform-prod.acme.t", ("platform-prod", "acme", "t")),
    ],
)
def test_a_path_of_a_table_is_read(text: str, path: tuple[str, ...]) -> None:
    assert VARIABLES.path(text) == (path, "")


@pytest.mark.parametrize("text", ["", "a.", ".a", "a..b", "`a", "a`b`", "``"])
def test_what_is_no_path_is_told_so(text: str) -> None:
    assert VARIABLES.path(text) == ((), "must be table, ${tenant_id}.table or `project.dataset.table`")


def test_a_parameter_is_no_part_of_the_name_of_a_table() -> None:
    assert VARIABLES.path("t_${date}") == (
        (),
        "has ${date}: only ${tenant_id} and ${project_id} can be part of a table's name",
    )


@pytest.mark.parametrize("value", ["", "a`b", "a.b", "a b", "a'b", "a\n", "größe"])
def test_an_identifier_of_the_platform_that_is_none_is_an_error_here(value: str) -> None:
    with pytest.raises(ValueError, match="tenant_id is no identifier"):
        Variables(identifiers={"tenant_id": value})
