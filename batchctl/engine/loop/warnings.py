"""What goes wrong again and again, told once: when it begins, when it changes, and when it is over."""

from __future__ import annotations

from batchctl.model.ports import Progress


class Warnings:
    """What a run of passes has told so far, by subject: the manifests, the pass, an account."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._told: dict[str, str] = {}

    def warn(self, subject: str, message: str) -> None:
        """Warn, unless this very message was the last about its subject."""
        if self._told.get(subject) != message:
            self._told[subject] = message
            self._progress.warn(message)

    def resolved(self, subject: str, message: str) -> None:
        """Say that it is well again, if it was not."""
        if self._told.pop(subject, None) is not None:
            self._progress.warn(message)
