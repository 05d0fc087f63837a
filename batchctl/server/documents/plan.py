"""`/api/plan`: the pending plan, in pages."""

from __future__ import annotations

from typing import Final

from batchctl.report.plan_document import plan_document
from batchctl.server.paging import Page, Query, cut, whole
from batchctl.server.view import Document, View

PARAMETERS: Final = ("all", "cursor", "limit")
_QUIET = frozenset({"none", "wait"})


def pending_plan_document(view: View, query: Query) -> Document:
    """A page of actions; without `all` those of jobs with something to do, a guard or a change. Raises UsageError."""
    actions = _whole(view)["actions"]
    return _document(view, cut(actions if query.flag("all") else _news(view), len(actions), query))


def whole_plan_document(view: View) -> Document:
    """The document with all jobs that have something to do, a guard or a change."""
    return _document(view, whole(_news(view), len(_whole(view)["actions"])))


def _document(view: View, page: Page) -> Document:
    members = {name: value for name, value in _whole(view).items() if name not in {"actions", "options"}}
    return {**view.head, "plan": members, **page.members}


def _whole(view: View) -> Document:
    made: Document = view.once("plan", lambda: plan_document(view.snapshot.plan, {}))
    return made


def _news(view: View) -> list[Document]:
    return view.once("news", lambda: [action for action in _whole(view)["actions"] if _is_news(action)])


def _is_news(action: Document) -> bool:
    return action["action"] not in _QUIET or action["guard"] is not None or bool(action["changes"])
