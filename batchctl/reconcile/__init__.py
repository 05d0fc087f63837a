"""The decisions: what shall be done, given what is desired, recorded and observed.

Pure: no I/O, no clock, no randomness. All policy of batchctl is decided here, so all of it can be tested by tables.
"""

from batchctl.reconcile.attach import refresh
from batchctl.reconcile.options import Options, Scope
from batchctl.reconcile.plan import plan
from batchctl.reconcile.selector import parse_selector

__all__ = ["Options", "Scope", "parse_selector", "plan", "refresh"]
