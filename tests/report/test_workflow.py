from __future__ import annotations

from batchctl.model.errors import BatchctlError, ManifestError
from batchctl.model.locations import Diagnostic, Location
from batchctl.report.workflow import error_annotations
from tests.support.report_samples import HOSTILE


def test_each_fault_of_a_manifest_is_annotated_at_its_place():
    error = ManifestError(
        [
            Diagnostic(Location("jobs/a,b:c.yaml", 7, 3), "UnknownKey", "unknown key foo", "did you mean for?"),
            Diagnostic(Location("a.yaml"), "Missing", "50%\nmissing"),
            Diagnostic(Location.without_position("-f b,%c"), "FileNotFound", "there is no file"),
        ]
    )
    assert error_annotations(error) == (
        "::error title=FileNotFound::-f b,%25c: there is no file",
        "::error file=a.yaml,line=1,col=1,title=Missing::50%25%0Amissing",
        "::error file=jobs/a%2Cb%3Ac.yaml,line=7,col=3,title=UnknownKey::unknown key foo (did you mean for?)",
    )


def test_any_other_error_is_one_annotation_on_one_line():
    (line,) = error_annotations(BatchctlError(HOSTILE, code="Api", hint="wait\nor not"))
    assert line.startswith("::error title=Api::quota\\x1b[2J%0A::error::oops")
    assert line.endswith("(wait%0Aor not)")
    assert line.isprintable()
