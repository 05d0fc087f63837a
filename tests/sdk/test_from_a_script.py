"""The page "from a script to batchctl" is run: its script with the SDK, then each of its commands, in their order."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, Cli
from tests.support.patience import PATIENCE
from tests.support.sdk_clients import Service

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_works(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "from-a-script.md").read_text(encoding="utf-8"))
    (script,) = [text for language, text in blocks if language == "python"]
    (rows,) = [text for language, text in blocks if language == "json"]
    (manifest,) = [text for language, text in blocks if language == "yaml"]
    commands = [line for language, text in blocks if language == "sh" for line in text.splitlines()]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", service.url)
    monkeypatch.setenv("BATCHCTL_EMULATOR", service.url)
    Path("loop.py").write_text(script)
    Path("prompts.jsonl").write_text(rows)
    looped = subprocess.run([sys.executable, "loop.py"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert [line.split()[0] for line in looped.stdout.splitlines()] == ["t1", "t2"], looped.stderr
    (remote,) = [job["name"] for job in service.jobs()]

    cli, outputs = Cli(capsys), {}
    for line in commands:
        program, *words = shlex.split(line.replace("batches/NAME", remote))
        if program == "rm":
            Path(words[0]).unlink()
            continue
        if words == ["validate"]:
            Path("jobs/classify-tickets.yaml").write_text(manifest)
        outputs[line] = cli(*words)
        assert outputs[line].code == (3 if words[0] == "drift" else 0), outputs[line]
    assert f"Unmanaged  {remote}" in outputs["batchctl drift --unmanaged"].out
    assert [row["key"] for row in outputs["batchctl results first-night"].rows] == ["t1", "t2"]
    answers = outputs["batchctl results classify-tickets"].rows
    assert [(row["input"], row["verdict"]) for row in answers] == [({"id": "t1"}, "OK"), ({"id": "t2"}, "OK")]
    assert len(service.jobs()) == 2, "the script's job and one of batchctl"
