"""The tree of commands."""

from __future__ import annotations

from typing import Final

import click

from batchctl import __version__
from batchctl.cli.common import Common, common_options
from batchctl.cli.lazy_group import Entry, LazyGroup

COMMANDS: Final = {
    "init": Entry("batchctl.cli.init:init", "Create a stack: batchctl.yaml, a manifest, a .gitignore."),
    "validate": Entry("batchctl.cli.validate:validate", "Check the stack file and all manifests without any call."),
    "plan": Entry("batchctl.cli.plan:plan", "Show what `apply` would do, and why."),
    "diff": Entry("batchctl.cli.diff:diff", "Compare manifests with the recorded jobs."),
    "apply": Entry("batchctl.cli.apply:apply", "Carry out the plan: create, update, cancel, delete, collect."),
    "watch": Entry("batchctl.cli.watch:watch", "Follow jobs to their end: collect, retry, apply deadlines."),
    "ui": Entry("batchctl.cli.ui:ui", "Serve a web page of the stack, until Ctrl-C."),
    "report": Entry(
        "batchctl.cli.report:report", "Write the web page of the stack into one file, such as an artifact of CI."
    ),
    "status": Entry("batchctl.cli.status:status", "Show the phase, rows and times of each job."),
    "wait": Entry("batchctl.cli.wait:wait", "Wait until each job has been in a phase, or cannot come there (exit 4)."),
    "describe": Entry(
        "batchctl.cli.describe:describe", "Show each job: errors, attempts, rows by verdict, what helps, history."
    ),
    "explain": Entry("batchctl.cli.explain:explain", "Explain why a job is in its phase, and what happens next."),
    "events": Entry("batchctl.cli.events:events", "List what was done and seen, oldest first: when, by whom, why."),
    "rehearse": Entry(
        "batchctl.cli.rehearse:rehearse", "Run the stack on the emulator with a moved clock, and buy nothing."
    ),
    "replay": Entry("batchctl.cli.replay:replay", "Decide again from a bundle of `--record`, and compare the plans."),
    "results": Entry("batchctl.cli.results:results", "Print the collected results, one JSON object per row."),
    "drift": Entry("batchctl.cli.drift:drift", "Report changes that were not made by batchctl (exit 3)."),
    "retry": Entry("batchctl.cli.retry:retry", "Retry failed, rejected, lost or cancelled jobs now."),
    "cancel": Entry("batchctl.cli.cancel:cancel", "Cancel the named jobs for good; they are not retried."),
    "import": Entry("batchctl.cli.import_:import_", "Import the existing job REMOTE: manifest and state."),
    "destroy": Entry("batchctl.cli.destroy:destroy", "Cancel and delete all jobs, or the named ones."),
    "state": Entry("batchctl.cli.state.group:state", "Show, repair, copy or move the state."),
    "prices": Entry("batchctl.cli.prices.group:prices", "Show and import the prices of models."),
    "config": Entry("batchctl.cli.config_group:config", "Show the configuration of the stack."),
    "doctor": Entry("batchctl.cli.doctor:doctor", "Check the configuration, credentials, clock and each API."),
    "schema": Entry("batchctl.cli.schema:schema", "Print the JSON Schema NAME, or the names of all schemas."),
    "emulator": Entry("batchctl.cli.emulator:emulator", "Run a local Gemini batch service for tests."),
    "completion": Entry(
        "batchctl.cli.completion:completion", "Print the completion script for SHELL: bash, zsh or fish."
    ),
    "version": Entry("batchctl.cli.version:version", "Print the versions that a bug report needs."),
}
"""In the order of typical use."""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="batchctl %(version)s")
@common_options
def batchctl(*, common: Common) -> None:
    """Declarative batch jobs for Gemini: manifests in Git, `batchctl apply`, `batchctl watch`."""
