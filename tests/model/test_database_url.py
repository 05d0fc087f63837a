"""Addresses of states in PostgreSQL: what is accepted, and no secret in what is said about the others."""

from __future__ import annotations

import pytest

from batchctl.model.database_url import DatabaseUrl, parse_database_url


@pytest.mark.parametrize(
    ("url", "server", "schema"),
    [
        ("postgresql://db/prod", "postgresql://db/prod", "batchctl"),
        ("postgres://me@db:5433/prod?schema=team_1", "postgresql://me@db:5433/prod", "team_1"),
        (
            "postgresql://a:1,b:2/x?sslmode=verify-full&schema=s&target_session_attrs=read-write",
            "postgresql://a:1,b:2/x?sslmode=verify-full&target_session_attrs=read-write",
            "s",
        ),
        ("postgresql://?service=prod", "postgresql://?service=prod", "batchctl"),
        ("postgresql:///x?host=/run/postgresql", "postgresql:///x?host=%2Frun%2Fpostgresql", "batchctl"),
    ],
)
def test_an_address_has_a_server_and_a_schema(url: str, server: str, schema: str) -> None:
    assert parse_database_url(url) == DatabaseUrl(server, schema)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:hunter2@db/prod", "must not have a password: set PGPASSWORD"),
        ("postgresql://me:hunter2@@db/prod", "must not have a password"),
        ("postgresql://me%3Ahunter2@db/prod", "must not have a password"),
        ("postgresql://db/prod?password=hunter2", "must not have a password"),
        ("postgresql://db/prod?%70assword=hunter2", "must not have a password"),
        ("postgresql://db/prod?sslpassword=hunter2", "has the parameter 'sslpassword': set it in a service file"),
        ("postgresql://db/prod?passfile=/etc/hunter2", "has the parameter 'passfile'"),
        ("postgresql://db/prod?options=-crole%3Dhunter2", "has the parameter 'options'"),
        ("postgresql://db/prod?schema=Hunter2", "needs a schema of lower-case letters"),
        ("postgresql://db/prod?schema=pg_catalog", "needs a schema of lower-case letters"),
        ("postgresql://db/prod?schema=a&schema=b", "has a parameter twice"),
        ("postgresql://db/hunter2/state.db", "is not a URL of PostgreSQL"),
        ("postgresql://db/prod#hunter2", "is not a URL of PostgreSQL"),
        ("postgresql://db/prod%00hunter2", "is not a URL of PostgreSQL"),
        ("postgresql://[hunter2/prod", "is not a URL of PostgreSQL"),
    ],
)
def test_an_address_that_cannot_be_is_refused_without_its_secrets(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_database_url(url)
    assert "unter2" not in str(caught.value)
