"""A plan says what it buys, in every form; after the end the tokens that the API counted are there."""

from __future__ import annotations

from tests.support.command_line import SOON, Cli, Service, StackFolder, check_schema


def test_a_plan_says_what_it_buys_and_the_end_what_was_counted(
    stack: StackFolder, cli: Cli, service: Service, quick: list[float]
) -> None:
    service.rules(SOON)
    stack.write_job("first")
    stack.write_job("second", model="gemini-2.5-pro")
    plan = cli.ok("plan", "-o", "json").json
    check_schema("plan", plan)
    sizes = {action["job"]: action for action in plan["actions"]}
    first, total = sizes["first"], plan["total"]
    assert (first["model"], first["provider"], first["rows"]) == ("gemini-2.5-flash", "gemini", 3)
    assert (first["buys"], first["tokensCounted"]) == (True, False)
    assert 0 < first["tokens"] < first["bytes"]
    assert [(one["model"], one["rows"]) for one in total["models"]] == [("gemini-2.5-flash", 3), ("gemini-2.5-pro", 3)]
    for key in ("rows", "bytes", "tokens"):
        assert total[key] == sum(action[key] for action in sizes.values())
    sentence = f"Buys 2 jobs, 6 rows, {total['bytes']} bytes, about {total['tokens']} tokens."
    assert sentence in cli.ok("plan").out
    assert sentence in cli.ok("plan", "-o", "markdown").out

    applied = cli.ok("apply", "--yes", "--wait", "-o", "json").json
    check_schema("apply", applied)
    assert all(action["tokensCounted"] for action in applied["actions"])
    assert applied["total"]["tokensCounted"] == sum(action["tokens"] for action in applied["actions"])
    after = cli.ok("plan", "-o", "json").json
    assert (after["total"]["jobs"], after["actions"][0]["tokensCounted"]) == (0, True)
    status = cli.ok("status", "-o", "json").json["jobs"]
    assert [row["tokens"] for row in status] == [action["tokens"] for action in applied["actions"]]
