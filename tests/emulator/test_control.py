from __future__ import annotations

from typing import Any

import pytest

from tests.support.embedded_emulator import MODEL, World


def test_all_calls_except_control_calls_are_counted(world: World) -> None:
    assert world.ok("GET", "/_emulator/requests") == {"total": 0, "byMethod": {}}
    job = world.create()
    world.create_embed({"content": {"parts": [{"text": "x"}]}})
    world.get(job)
    world.ok("GET", "/v1beta/batches")
    world.ok("POST", f"/v1beta/{job['name']}:cancel")
    world.ok("PATCH", f"/v1beta/{job['name']}:updateGenerateContentBatch", json={"displayName": "x"})
    world.ok("DELETE", f"/v1beta/{job['name']}")
    file = world.upload(b"x")
    world.ok("GET", f"/v1beta/{file['name']}")
    world.ok("GET", "/v1beta/files")
    world.http.get("/v1beta/files/batch-1:download")
    world.ok("DELETE", f"/v1beta/{file['name']}")
    world.http.get("/nowhere")
    world.http.get("/v1beta/batches", headers={"x-goog-api-key": ""})
    world.faults({"kind": "status", "status": 500})
    world.http.get("/v1beta/batches")
    assert world.ok("GET", "/_emulator/requests") == {
        "total": 16,
        "byMethod": {
            "batches.cancel": 1,
            "batches.create": 2,
            "batches.delete": 1,
            "batches.get": 1,
            "batches.list": 3,
            "batches.patch": 1,
            "files.create": 1,
            "files.delete": 1,
            "files.download": 1,
            "files.get": 1,
            "files.list": 1,
            "files.upload": 1,
            "unknown": 1,
        },
    }


def test_the_list_of_jobs_includes_deleted_jobs(world: World) -> None:
    first = world.create("a", "b", name="dn")
    world.pass_time("2s")
    file = world.upload(b"")
    second = world.create_from_file(file["name"])
    world.ok("DELETE", f"/v1beta/{first['name']}")
    world.pass_time("3s")
    assert world.ok("GET", "/_emulator/jobs")["jobs"] == [
        {
            "api": "gemini",
            "name": first["name"],
            "displayName": "dn",
            "labels": {},
            "model": MODEL,
            "kind": "generate",
            "state": "BATCH_STATE_RUNNING",
            "createTime": "2026-03-01T12:00:00.000000000Z",
            "startTime": "2026-03-01T12:00:01.000000000Z",
            "endTime": None,
            "inputFile": None,
            "requestCount": 2,
            "rows": 2,
            "deleted": True,
        },
        {
            "api": "gemini",
            "name": second["name"],
            "displayName": None,
            "labels": {},
            "model": MODEL,
            "kind": "generate",
            "state": "BATCH_STATE_FAILED",
            "createTime": "2026-03-01T12:00:02.000000000Z",
            "startTime": "2026-03-01T12:00:03.000000000Z",
            "endTime": "2026-03-01T12:00:05.000000000Z",
            "inputFile": file["name"],
            "requestCount": 0,
            "rows": 0,
            "deleted": False,
        },
    ]


def test_the_clock_moves_forward(world: World) -> None:
    assert world.ok("GET", "/_emulator/clock") == {"now": "2026-03-01T12:00:00.000000000Z"}
    moved = world.ok("POST", "/_emulator/clock", json={"advance": "1w1d1h1m1s"})
    assert moved == {"now": "2026-03-09T13:01:01.000000000Z"}
    assert world.ok("POST", "/_emulator/clock", json={"advance": "0s"}) == moved
    world.pass_time("1s")
    assert world.ok("GET", "/_emulator/clock") == {"now": "2026-03-09T13:01:02.000000000Z"}


@pytest.mark.parametrize(
    "body",
    [{}, [], {"advance": 5}, {"advance": "-1h"}, {"advance": "1.5h"}, {"advance": "1H"}, {"advance": ""},
     {"advance": "5000w5000w"}, {"advance": "9" * 5000 + "s"}, {"advance": "1h", "to": "x"}],
)  # fmt: skip
def test_a_wrong_move_of_the_clock_is_refused(world: World, body: Any) -> None:
    assert world.refused(400, "POST", "/_emulator/clock", json=body)["message"].startswith("clock")
    assert world.ok("GET", "/_emulator/clock") == {"now": "2026-03-01T12:00:00.000000000Z"}


def test_reset_empties_everything(world: World) -> None:
    job = world.create()
    file = world.upload(b"x")
    session = world.start_upload()
    world.rules({"fate": "stuck"})
    world.ok("POST", "/_emulator/clock", json={"advance": "1h"})
    world.faults({"kind": "cut"})
    assert world.ok("POST", "/_emulator/reset") == {}
    assert world.ok("GET", "/_emulator/requests") == {"total": 0, "byMethod": {}}
    assert world.ok("GET", "/_emulator/jobs") == {"jobs": []}
    assert world.ok("GET", "/_emulator/clock") == {"now": "2026-03-01T12:00:00.000000000Z"}
    assert world.http.get("/_emulator/rules").json() == world.http.get("/_emulator/faults").json() == []
    world.refused(404, "GET", f"/v1beta/{job['name']}")
    world.refused(403, "GET", f"/v1beta/{file['name']}")
    assert world.send(session, b"x").status_code == 404
    assert world.emulator.store.rows("SELECT count(*) FROM pieces") == [(0,)]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/_emulator/reset"), ("GET", "/_emulator/"), ("POST", "/_emulator/job")]
)
def test_unknown_control_calls_list_the_known_ones(world: World, method: str, path: str) -> None:
    assert "PUT /_emulator/rules" in world.refused(404, method, path)["message"]


@pytest.mark.parametrize("path", ["rules", "faults"])
def test_a_control_body_is_json(world: World, path: str) -> None:
    world.refused(400, "PUT", f"/_emulator/{path}", content=b"{")


def test_settings_can_be_replaced_at_any_time(world: World) -> None:
    assert world.http.get("/_emulator/settings").json() == {}
    slow = {"pending": "1h"}
    for settings, state in ((slow, "PENDING"), ({}, "SUCCEEDED"), (slow, "PENDING")):
        assert world.http.put("/_emulator/settings", json=settings).json() == settings
        assert world.http.get("/_emulator/settings").json() == settings
        job = world.create()
        world.pass_time("3s")
        assert world.state(job) == state


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ([], "emulator.settings:"),
        ({"pace": "1s"}, "emulator.settings:"),
        ({"running": 5}, "emulator.settings.running:"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(world: World, settings: Any, place: str) -> None:
    world.ok("PUT", "/_emulator/settings", json={"pending": "1h"})
    assert world.refused(400, "PUT", "/_emulator/settings", json=settings)["message"].startswith(place)
    assert world.http.get("/_emulator/settings").json() == {"pending": "1h"}
