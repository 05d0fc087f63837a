"""Each decision is made again from its bundle: those of the crash harness, and those of drawn histories."""

from __future__ import annotations

import contextlib
import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.engine.bundles.bundle import from_bundle, replay, to_bundle
from batchctl.engine.bundles.folder import MOST_FILES, BundleFolder
from batchctl.engine.warnings import LastSaid, Warnings
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.errors import UsageError
from batchctl.model.notices import Notice, NoticeType, Webhook
from batchctl.model.recorded import Recorded
from batchctl.model.row_settings import Fallback, RowSettings
from batchctl.model.sent_with import SentWith
from batchctl.model.settings import webhook_hashes
from batchctl.model.stack import Limits, ProviderConfig, Stack
from batchctl.reconcile import Options, Question
from tests.engine.test_crash import STORIES
from tests.reconcile.test_properties import HISTORIES, live
from tests.support import simulated_stack
from tests.support.bundles import Replays
from tests.support.command_line import check_schema
from tests.support.decisions import HERE, LOCAL, STACK, attempt, job, look, row, seen
from tests.support.engine import Telling
from tests.support.long_mode import effort
from tests.support.values import field_names, replace

SECRET = "the secret words of a prompt"


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("seed", range(effort(2, 20)))
def test_each_decision_of_a_crash_story_is_made_again(make_world, monkeypatch, name, seed):
    dice = random.Random(f"{name} {seed}")
    world, replays = make_world(limits=Limits(concurrency=1)), Replays()
    plain = world.tools
    monkeypatch.setattr(world, "tools", lambda **changes: plain(**{"black_box": replays, **changes}))
    write, check = STORIES[name]
    write(world).play([dice.randrange(3, 40) for _ in range(4 * seed)])
    check(world)
    assert {"create", "collect"} <= set(replays.actions)
    assert not any("say k1" in words for words in replays.words)


@settings(derandomize=True, deadline=None, max_examples=effort(6, 400))
@given(HISTORIES, st.integers(0, 1000))
def test_each_decision_of_a_drawn_history_is_made_again(history, seed):
    replays = Replays()

    def decide(*given):
        # The world passes desired, recorded, observed, now and options.
        question = Question(*given, None)
        made = question.answer()
        replays(question, made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_stack, "plan", decide)
        live(simulated_stack.World(random.Random(seed)), history)
    assert replays.words


def question(**options: int) -> Question:
    """A decision over values of most kinds, each with a secret where it has a text that may be one."""
    change = SentWith("gemini-2.5-pro", {"systemInstruction": SECRET, "generationConfig": {"seed": 7}})
    wanted = replace(
        job("a"),
        request={"systemInstruction": SECRET},
        extra_body={"note": SECRET},
        webhook={"uris": [f"https://hook.invalid/?token={SECRET}"]},
        annotations={"note": SECRET},
        row_settings=RowSettings(fallbacks=(Fallback(frozenset({"SAFETY"}), change),)),
    )
    record = row(job("a"), attempt(1, "RUNNING"))
    record = replace(record, row=replace(record.row, webhook=webhook_hashes({"uris": SECRET})))
    notice = Notice("n1", "ops", "a", 1, NoticeType.STUCK, LOCAL, SECRET)
    hook = Webhook("ops", f"https://ops.invalid/{SECRET}", "VARIABLE")
    return Question(
        DesiredStack(replace(STACK, notify=(hook,)), (wanted, job("b"))),
        Recorded({"a": record}, outbox=(notice,)),
        {HERE: look(seen(attempt(1, "RUNNING")), account=HERE)},
        LOCAL,
        Options(**options),
        None,
    )


def test_a_bundle_has_no_secret_and_no_body():
    asked = question()
    made = asked.answer()
    content = to_bundle(asked, made)
    assert SECRET not in content.decode()
    assert "ops.invalid" not in content.decode()
    changed = [change.path for one in made.jobs for change in one.changes]
    assert "spec.webhookConfig.uris" in changed
    assert replay(from_bundle(content, "b")) == ()


def test_sentences_quote_no_request():
    """A reason that names the change of requests names its hash."""
    asked = question()
    (wanted, _) = asked.desired.jobs
    made = asked.answer()
    (first, *others) = made.jobs
    quoted = f"rows are sent by rows.fallback ({wanted.row_settings.fallbacks[0].change})"
    said = replace(made, jobs=(replace(first, decision=replace(first.decision, reason=quoted)), *others))
    assert SECRET not in to_bundle(asked, said).decode()
    assert SECRET in quoted


def test_another_decision_is_shown_with_its_place():
    asked = question()
    document = json.loads(to_bundle(asked, asked.answer()))
    (planned,) = [one for one in document["plan"]["jobs"] if one["job"] == "b"]
    planned["decision"]["action"] = "wait"
    (difference,) = replay(from_bundle(json.dumps(document).encode(), "b"))
    assert (difference.path, difference.recorded, difference.now) == ("plan.jobs.b.decision.action", "wait", "create")


def test_other_words_are_no_difference():
    asked = question(max_create=0)
    document = json.loads(to_bundle(asked, asked.answer()))
    (planned,) = [one for one in document["plan"]["jobs"] if one["job"] == "b"]
    (guard,) = document["plan"]["guards"]
    planned["decision"]["reason"] = planned["decision"]["trail"][0]["does"] = "otherwise"
    guard["message"] = guard["way_out"] = planned["forecast"]["unknown"] = "in other words"
    assert replay(from_bundle(json.dumps(document).encode(), "b")) == ()
    guard["code"] = planned["decision"]["trail"][0]["id"] = "other"
    del planned["forecast"]["unknown"], planned["decision"]["reason"]
    changed = replay(from_bundle(json.dumps(document).encode(), "b"))
    assert {one.path.removeprefix("plan.").removeprefix("jobs.b.") for one in changed} == {
        "decision.reason",
        "decision.trail.0.id",
        "forecast.unknown",
        "guards.0.code",
    }


def test_options_count():
    asked = question(max_create=0)
    content = to_bundle(asked, asked.answer())
    assert replay(from_bundle(content, "b")) == ()
    document = json.loads(content)
    del document["options"]["max_create"]
    assert replay(from_bundle(json.dumps(document).encode(), "b"))


def test_an_account_that_was_not_read_is_none_that_lists_nothing():
    asked = replace(question(), observed={})
    content = to_bundle(asked, asked.answer())
    check_schema("bundle", json.loads(content))
    assert replay(from_bundle(content, "b")) == ()


def test_members_of_another_release_are_left_out():
    asked = question()
    document = json.loads(to_bundle(asked, asked.answer()))
    document["options"]["later"] = True
    document["versions"]["batchctl"] = "9.0.0"
    read = from_bundle(json.dumps(document).encode(), "b")
    assert read.version == "9.0.0"
    assert replay(read) == ()


def test_a_damaged_bundle_is_an_error_that_names_it():
    asked, dice, refused = question(), random.Random(1), []
    content = to_bundle(asked, asked.answer())
    for _ in range(effort(300, 5000)):
        document = json.loads(content)
        owner, place = dice.choice(list(places({name: one for name, one in document.items() if name != "plan"})))
        owner[place] = dice.choice([None, 7, "x", [], {}, [[1, 2]], {"is": "Plan"}, True, 1.5])
        with contextlib.suppress(UsageError):
            refused.append(refusal(json.dumps(document).encode()))
    assert len(refused) > 100
    assert all(error.message.startswith("b is ") and "--record DIR" in error.hint for error in refused)


def refusal(content: bytes) -> UsageError:
    """Why a bundle is refused; raises UsageError if it is not."""
    try:
        from_bundle(content, "b")
    except UsageError as error:
        return error
    raise UsageError("it is read")


def places(value):
    """Every place of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for place, one in items:
        yield value, place
        if isinstance(one, dict | list):
            yield from places(one)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"format": "batchctl/plan/v1"}', b"[" * 100_000])
def test_what_is_no_bundle_is_refused(content):
    with pytest.raises(UsageError, match="b is not a bundle: "):
        from_bundle(content, "b")


class TestFolder:
    def add(self, folder: Path, minutes: int = 0) -> Telling:
        progress = Telling()
        asked = replace(question(), now=LOCAL + timedelta(minutes=minutes))
        BundleFolder(folder).add(asked, asked.answer(), Warnings(progress, LastSaid()))
        return progress

    def test_files_are_private_and_sorted_by_time(self, tmp_path):
        folder = tmp_path / "new" / "box"
        self.add(folder, 1)
        self.add(folder, 0)
        assert folder.stat().st_mode & 0o777 == 0o700
        files = sorted(folder.iterdir())
        assert [one.stat().st_mode & 0o777 for one in files] == [0o600, 0o600]
        times = [from_bundle(one.read_bytes(), one.name).question.now for one in files]
        assert times == [LOCAL, LOCAL + timedelta(minutes=1)]

    def test_the_oldest_go_and_other_files_stay(self, tmp_path):
        for number in range(MOST_FILES):
            (tmp_path / f"20200101T000000.{number:06}Z-abcdef.bundle.json").write_text("{}")
        (tmp_path / "notes.bundle.json").write_text("mine")
        self.add(tmp_path)
        names = sorted(one.name for one in tmp_path.iterdir())
        assert len(names) == MOST_FILES + 1
        assert names[0] == "20200101T000000.000001Z-abcdef.bundle.json"
        assert "notes.bundle.json" in names

    def test_bytes_are_bounded_but_for_the_last(self, tmp_path, monkeypatch):
        monkeypatch.setattr("batchctl.engine.bundles.folder.MOST_BYTES", 1)
        self.add(tmp_path, 1)
        self.add(tmp_path, 0)
        (left,) = tmp_path.iterdir()
        assert from_bundle(left.read_bytes(), "b").question.now == LOCAL

    def test_a_folder_that_takes_no_file_is_a_warning(self, tmp_path):
        folder = tmp_path / "box"
        box = BundleFolder(folder)
        folder.rmdir()
        folder.write_text("in the way")
        progress = Telling()
        asked = question()
        box.add(asked, asked.answer(), Warnings(progress, LastSaid()))
        assert "cannot write" in str(vars(progress))


KEPT = {
    DesiredJob: "name kind provider account model source digest tree path location lifecycle labels display_name dest"
    " run_id adopt depends_on priority input_bytes sample row_hashes row_settings canary sharding expansion sent_with",
    Stack: "name uid folder file providers state results suspend limits moved variables_given target",
    ProviderConfig: "name api project location staging_bucket limits admission api_version user_project",
    Recorded: "jobs files serial lineage identities quotas ghosts history",
}
REDACTED = {
    DesiredJob: "request extra_body webhook annotations",
    Stack: "notify prices",
    ProviderConfig: "endpoint",
    Recorded: "outbox",
}


@pytest.mark.parametrize("kind", KEPT)
def test_each_member_is_kept_or_redacted_on_purpose(kind):
    """A new member with a text of the user's belongs to `REDACTED`, and into docs/replay.md."""
    assert {*KEPT[kind].split(), *REDACTED[kind].split()} == set(field_names(kind))
