"""Commands and options of kubectl, Terraform and other tools, with what batchctl has in their place: data alone.

In a translation, `{}` is the value of an option, or the arguments of a command. `translation.py` applies the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

KUBECTL: Final = "kubectl"
TERRAFORM: Final = "Terraform"


class Phrase(Struct, frozen=True, gc=False):
    """One word of another tool."""

    tool: str
    """The tool; empty for a word that several have."""
    to: tuple[str, ...] = ()
    """The words in its place; none: it is left out."""
    note: str = ""
    """More about the way, as a sentence without its end."""
    takes_value: bool = False
    """An option with a value, `-x=VALUE` or `-x VALUE`."""
    command: str = ""
    """The command that an option turns the whole line into."""
    needs_name: bool = False
    """A command that is of no use without an argument."""
    drops_arguments: bool = False
    """A command whose arguments mean nothing here."""


COMMANDS: Final[Mapping[str, Phrase]] = {
    # kubectl
    "get": Phrase(KUBECTL, ("status",)),
    "logs": Phrase(KUBECTL, ("events",), "`batchctl results NAME` prints the answers"),
    "create": Phrase(KUBECTL, ("apply",)),
    "delete": Phrase(KUBECTL, ("destroy",)),
    "edit": Phrase(KUBECTL, ("diff",), "edit the manifest, look at the difference, and run `batchctl apply`"),
    "patch": Phrase(KUBECTL, ("diff",), "edit the manifest, look at the difference, and run `batchctl apply`"),
    "label": Phrase(KUBECTL, ("diff",), "labels are in the manifest", drops_arguments=True),
    "annotate": Phrase(KUBECTL, ("diff",), "annotations are in the manifest", drops_arguments=True),
    "top": Phrase(KUBECTL, ("status", "-o", "wide")),
    "rollout restart": Phrase(KUBECTL, ("apply", "--rerun", "{}"), "it buys the work again", needs_name=True),
    "rollout status": Phrase(KUBECTL, ("wait",), needs_name=True),
    "api-resources": Phrase(KUBECTL, ("schema",)),
    "api-versions": Phrase(KUBECTL, ("schema",)),
    "cluster-info": Phrase(KUBECTL, ("doctor",)),
    "auth can-i": Phrase(KUBECTL, ("doctor",), drops_arguments=True),
    # Terraform
    "taint": Phrase(TERRAFORM, ("apply", "--rerun", "{}"), "it buys the work again", needs_name=True),
    "untaint": Phrase(TERRAFORM, ("plan",), "--rerun marks nothing: leave it out", drops_arguments=True),
    "fmt": Phrase(TERRAFORM, ("validate",), "manifests are checked, and left as you write them", drops_arguments=True),
    "force-unlock": Phrase(
        TERRAFORM, ("state", "lock", "show"), "it shows the EPOCH for `batchctl state lock break`", drops_arguments=True
    ),
    "show": Phrase(TERRAFORM, ("describe",), needs_name=True),
    "output": Phrase(TERRAFORM, ("results",), needs_name=True),
    "refresh": Phrase(TERRAFORM, ("drift",)),
    "providers": Phrase(TERRAFORM, ("doctor",)),
    "login": Phrase(TERRAFORM, ("doctor",), "credentials come from the environment", drops_arguments=True),
    "workspace select": Phrase(
        TERRAFORM, ("status", "--target", "{}"), "each target has a state of its own", needs_name=True
    ),
    "workspace list": Phrase(TERRAFORM, ("status",), "`spec.targets` of batchctl.yaml lists the targets"),
    "state replace-provider": Phrase(TERRAFORM, ("state", "rebind", "--all", "--to", "PROVIDER"), drops_arguments=True),
    # Both, and others
    "list": Phrase("", ("status",)),
    "ls": Phrase("", ("status",)),
    "ps": Phrase("", ("status",)),
    "inspect": Phrase("", ("describe",), needs_name=True),
    "run": Phrase("", ("apply",)),
    "submit": Phrase("", ("apply",)),
    "up": Phrase("", ("apply",)),
    "down": Phrase("", ("destroy",)),
    "rm": Phrase("", ("destroy",), needs_name=True),
    "stop": Phrase("", ("cancel",), needs_name=True),
    "kill": Phrase("", ("cancel",), needs_name=True),
    "rerun": Phrase("", ("apply", "--rerun", "{}"), "it buys the work again", needs_name=True),
    "history": Phrase("", ("events",)),
}
"""By the words of the command."""

OPTIONS: Final[Mapping[str, Phrase]] = {
    "-auto-approve": Phrase(TERRAFORM, ("--yes",)),
    "-force": Phrase(TERRAFORM, ("--yes",)),
    "-input": Phrase(TERRAFORM, ("--no-input",), takes_value=True),
    "-out": Phrase(TERRAFORM, ("--out", "{}"), takes_value=True),
    "-target": Phrase(
        TERRAFORM, ("{}",), "--target names an environment of the stack file, such as prod", takes_value=True
    ),
    "-replace": Phrase(TERRAFORM, ("--rerun", "{}"), "it buys the work again", takes_value=True),
    "-var": Phrase(TERRAFORM, ("--var", "{}"), takes_value=True),
    "-var-file": Phrase(
        TERRAFORM, (), "`spec.targets` of batchctl.yaml has the variables of each target", takes_value=True
    ),
    "-destroy": Phrase(TERRAFORM, command="destroy", note="it shows what it removes, and asks"),
    "-refresh-only": Phrase(TERRAFORM, command="drift"),
    "-refresh": Phrase(TERRAFORM, (), "every plan reads the APIs", takes_value=True),
    "-lock": Phrase(TERRAFORM, (), "only commands that write take the lock, and they always do", takes_value=True),
    "-lock-timeout": Phrase(TERRAFORM, ("--lock-timeout", "{}"), takes_value=True),
    "-parallelism": Phrase(TERRAFORM, (), "`spec.limits.concurrency` of batchctl.yaml sets it", takes_value=True),
    "-detailed-exitcode": Phrase(TERRAFORM, ("--detailed-exitcode",)),
    "-compact-warnings": Phrase(TERRAFORM),
    "-no-color": Phrase(TERRAFORM, ("--color", "never")),
    "-json": Phrase(TERRAFORM, ("-o", "json")),
    "-chdir": Phrase(TERRAFORM, ("-C", "{}"), takes_value=True),
    "-state": Phrase(TERRAFORM, ("--state", "{}"), takes_value=True),
    "-upgrade": Phrase(TERRAFORM, (), "there are no plug-ins to install"),
    "-reconfigure": Phrase(TERRAFORM, (), "`spec.state` of batchctl.yaml is read each time"),
    "-migrate-state": Phrase(TERRAFORM, ("--to", "PLACE"), command="state migrate"),
    "-backend-config": Phrase(TERRAFORM, (), "`spec.state` of batchctl.yaml is the place", takes_value=True),
    "-help": Phrase(TERRAFORM, ("--help",)),
    "-version": Phrase(TERRAFORM, command="version"),
    "-k": Phrase(KUBECTL, ("-f", "{}"), takes_value=True),
    "--kustomize": Phrase(KUBECTL, ("-f", "{}"), takes_value=True),
    "--dry-run=client": Phrase(KUBECTL, ("--dry-run",), "`batchctl validate` checks without any call"),
    "--dry-run=server": Phrase(KUBECTL, ("--dry-run",)),
    "--dry-run=none": Phrase(KUBECTL),
    "--wait=true": Phrase(KUBECTL, ("--wait",)),
    "--wait=false": Phrase(KUBECTL),
    "--prune": Phrase(KUBECTL, (), "what has no manifest any more is always removed"),
    "--force": Phrase(KUBECTL, ("--yes",)),
    "--now": Phrase(KUBECTL),
    "--grace-period": Phrase(KUBECTL, takes_value=True),
    "--cascade": Phrase(KUBECTL, takes_value=True),
    "--ignore-not-found": Phrase(KUBECTL),
    "--server-side": Phrase(KUBECTL),
    "-n": Phrase(KUBECTL, (), "a stack is a folder: choose it with -C", takes_value=True),
    "--namespace": Phrase(KUBECTL, (), "a stack is a folder: choose it with -C", takes_value=True),
    "-A": Phrase(KUBECTL, (), "a command is about one stack"),
    "--all-namespaces": Phrase(KUBECTL, (), "a command is about one stack"),
    "--context": Phrase(KUBECTL, ("--target", "{}"), takes_value=True),
    "-y": Phrase("", ("--yes",)),
    "--auto-approve": Phrase("", ("--yes",)),
    "--json": Phrase("", ("-o", "json")),
    "--format": Phrase("", ("-o", "{}"), takes_value=True),
    "-R": Phrase(KUBECTL, (), "-f takes a folder with all that is below"),
    "--recursive": Phrase(KUBECTL, (), "-f takes a folder with all that is below"),
    "--show-labels": Phrase(KUBECTL, ("-o", "json")),
    "--field-selector": Phrase(KUBECTL, ("-o", "json"), "jq selects from it", takes_value=True),
    "--no-headers": Phrase(KUBECTL, ("-o", "name")),
    "--watch-only": Phrase(KUBECTL, ("--watch",)),
    "--sort-by=.metadata.creationTimestamp": Phrase(KUBECTL, ("--sort-by", "createTime")),
    "--sort-by=.metadata.name": Phrase(KUBECTL, ("--sort-by", "job")),
    "--sort-by=.status.phase": Phrase(KUBECTL, ("--sort-by", "phase")),
    "--for=condition=complete": Phrase(KUBECTL, ("--for=Succeeded",)),
    "--for=condition=failed": Phrase(KUBECTL, ("--for=Failed",)),
    "--approve": Phrase("", ("--yes",)),
}
"""By the option as it is written, with its value where only that value is foreign."""

OPTIONS_OF: Final[Mapping[str, Mapping[str, Phrase]]] = {
    "logs": {
        "-f": Phrase(KUBECTL, ("--watch",)),
        "--follow": Phrase(KUBECTL, ("--watch",)),
        "--tail": Phrase(KUBECTL, takes_value=True),
        "--timestamps": Phrase(KUBECTL),
        "--previous": Phrase(KUBECTL),
        "-p": Phrase(KUBECTL),
        "-c": Phrase(KUBECTL, takes_value=True),
    },
    "delete": {"--all": Phrase(KUBECTL)},
    "state push": {"-force": Phrase(TERRAFORM, ("--force",))},
}
"""Options that mean something else after a command."""

FORMATS: Final = ("jsonpath", "custom-columns", "go-template", "template", "jsonpath-as-json")
"""Values of kubectl's `-o` with a template."""

KINDS: Final = frozenset(
    {"job", "jobs", "batchjob", "batchjobs", "pod", "pods", "all", "po", "job.batch", "jobs.batch"}
)
"""Names of kinds, which stand before the names of objects: `get jobs`, `describe job/translate-fr`."""
