"""The decisions: what shall be done, given what is desired, recorded and observed.

Pure: no I/O, no clock, no randomness. All policy of batchctl is decided here, so all of it can be tested by tables.

The names below are loaded when they are first asked for: reading manifests needs the scope of a command alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchctl.reconcile.admission.quotas import after_refusal, after_success
    from batchctl.reconcile.after_pass.outcomes import outcome_of
    from batchctl.reconcile.after_pass.patience import Patience
    from batchctl.reconcile.after_pass.pending import PassEnd, find_pending, find_unsettled
    from batchctl.reconcile.after_pass.quick_check import choose_check
    from batchctl.reconcile.after_pass.timing import Timing, seconds_left, time_plan
    from batchctl.reconcile.after_pass.uploads import NO_FILE, expects_attempt, find_unneeded, is_expired
    from batchctl.reconcile.calls.troubles import Failure, after_failure, overcome, waits_for_all
    from batchctl.reconcile.cost.retirements import find_retirements
    from batchctl.reconcile.decide.row_choice import choice_of_rows, next_choice, rows_to_survey
    from batchctl.reconcile.forecast.deadlines import find_short_deadlines
    from batchctl.reconcile.forecast.learn import learn_history, past_of, too_old
    from batchctl.reconcile.notify.notices import end_notices, possible_again, stuck_notices
    from batchctl.reconcile.notify.outbox import delivered, failed, find_waiting, given_up, held, sort_outbox
    from batchctl.reconcile.options import WHOLE_STACK, Options, Scope, names_in_scope
    from batchctl.reconcile.planner import plan
    from batchctl.reconcile.question import Question
    from batchctl.reconcile.recover.collected import record_kept
    from batchctl.reconcile.recover.open_work import find_lost_calls, find_open, with_open
    from batchctl.reconcile.recover.other_account import at_own_accounts, attempts_elsewhere, attempts_to_show, bind_job
    from batchctl.reconcile.recover.rebuild import Rebuilt, rebuild, record_results
    from batchctl.reconcile.recover.record_edits import forget_job, found_by_mark, require_free_name, require_settled
    from batchctl.reconcile.review import Stale, find_stale
    from batchctl.reconcile.rules.collected import results_relied_on
    from batchctl.reconcile.selector import parse_selector
    from batchctl.reconcile.view.credentials import find_strangers
    from batchctl.reconcile.view.endings import has_succeeded
    from batchctl.reconcile.view.marks import is_ours
    from batchctl.reconcile.view.phases import attempt_on_record, current_record, phase_on_record
    from batchctl.reconcile.view.readings import ghosts_of, old_ghosts
    from batchctl.reconcile.view.refresh import refresh
    from batchctl.reconcile.view.renames import Move, final_names, find_moves, rename
    from batchctl.reconcile.why_not.answer import explain_why_not

__all__ = [
    "NO_FILE",
    "WHOLE_STACK",
    "Failure",
    "Move",
    "Options",
    "PassEnd",
    "Patience",
    "Question",
    "Rebuilt",
    "Scope",
    "Stale",
    "Timing",
    "after_failure",
    "after_refusal",
    "after_success",
    "at_own_accounts",
    "attempt_on_record",
    "attempts_elsewhere",
    "attempts_to_show",
    "bind_job",
    "choice_of_rows",
    "choose_check",
    "current_record",
    "delivered",
    "end_notices",
    "expects_attempt",
    "explain_why_not",
    "failed",
    "final_names",
    "find_lost_calls",
    "find_moves",
    "find_open",
    "find_pending",
    "find_retirements",
    "find_short_deadlines",
    "find_stale",
    "find_strangers",
    "find_unneeded",
    "find_unsettled",
    "find_waiting",
    "forget_job",
    "found_by_mark",
    "ghosts_of",
    "given_up",
    "has_succeeded",
    "held",
    "is_expired",
    "is_ours",
    "learn_history",
    "names_in_scope",
    "next_choice",
    "old_ghosts",
    "outcome_of",
    "overcome",
    "parse_selector",
    "past_of",
    "phase_on_record",
    "plan",
    "possible_again",
    "rebuild",
    "record_kept",
    "record_results",
    "refresh",
    "rename",
    "require_free_name",
    "require_settled",
    "results_relied_on",
    "rows_to_survey",
    "seconds_left",
    "sort_outbox",
    "stuck_notices",
    "time_plan",
    "too_old",
    "waits_for_all",
    "with_open",
]

_MODULES = {
    "admission.quotas": ("after_refusal", "after_success"),
    "after_pass.outcomes": ("outcome_of",),
    "after_pass.patience": ("Patience",),
    "after_pass.pending": ("PassEnd", "find_pending", "find_unsettled"),
    "after_pass.quick_check": ("choose_check",),
    "after_pass.timing": ("Timing", "seconds_left", "time_plan"),
    "after_pass.uploads": ("NO_FILE", "expects_attempt", "find_unneeded", "is_expired"),
    "calls.troubles": ("Failure", "after_failure", "overcome", "waits_for_all"),
    "cost.retirements": ("find_retirements",),
    "decide.row_choice": ("choice_of_rows", "next_choice", "rows_to_survey"),
    "forecast.deadlines": ("find_short_deadlines",),
    "forecast.learn": ("learn_history", "past_of", "too_old"),
    "notify.notices": ("end_notices", "possible_again", "stuck_notices"),
    "notify.outbox": ("delivered", "failed", "find_waiting", "given_up", "held", "sort_outbox"),
    "options": ("Options", "Scope", "WHOLE_STACK", "names_in_scope"),
    "planner": ("plan",),
    "question": ("Question",),
    "recover.collected": ("record_kept",),
    "recover.open_work": ("find_lost_calls", "find_open", "with_open"),
    "recover.other_account": ("at_own_accounts", "attempts_elsewhere", "attempts_to_show", "bind_job"),
    "recover.rebuild": ("Rebuilt", "rebuild", "record_results"),
    "recover.record_edits": ("forget_job", "found_by_mark", "require_free_name", "require_settled"),
    "review": ("Stale", "find_stale"),
    "rules.collected": ("results_relied_on",),
    "selector": ("parse_selector",),
    "view.credentials": ("find_strangers",),
    "view.endings": ("has_succeeded",),
    "view.marks": ("is_ours",),
    "view.phases": ("attempt_on_record", "current_record", "phase_on_record"),
    "view.readings": ("ghosts_of", "old_ghosts"),
    "view.refresh": ("refresh",),
    "view.renames": ("Move", "final_names", "find_moves", "rename"),
    "why_not.answer": ("explain_why_not",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return found
