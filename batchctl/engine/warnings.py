"""Warnings that are shown once, however often a run comes across their cause: the one place that remembers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchctl.model.ports.surroundings import Progress


class LastSaid:
    """The last message about each subject: the manifests, a pass, an account, a hook, a job."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def is_news(self, subject: str, message: str) -> bool:
        """Whether the last message about the subject was another one; it is this one from now on."""
        is_news = self._said.get(subject) != message
        self._said[subject] = message
        return is_news

    def forget(self, subject: str) -> bool:
        """Drop the subject; gives whether there was a message."""
        return self._said.pop(subject, None) is not None


class Warnings:
    """Warnings of one process."""

    def __init__(self, progress: Progress, said: LastSaid) -> None:
        self._progress = progress
        self._said = said

    def warn(self, subject: str, message: str, *, cause: str | None = None) -> None:
        """Warn, unless the last warning about the subject had the same cause; by default the message is the cause."""
        if self._said.is_news(subject, message if cause is None else cause):
            self._progress.warn(message)

    def is_news(self, subject: str, cause: str) -> bool:
        """Whether no warning about the subject with this cause was shown, for a warning about several subjects.

        It counts as shown from now on.
        """
        return self._said.is_news(subject, cause)

    def resolved(self, subject: str, message: str = "") -> None:
        """End a subject: the next warning is shown again. `message` is shown if there was one."""
        if self._said.forget(subject) and message:
            self._progress.warn(message)
