"""A shared state while this process holds its lock: each commit is in the shared place before `commit` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from batchctl.model.desired import DesiredJob
from batchctl.model.errors import StateError
from batchctl.model.recorded import Recorded
from batchctl.model.writes import Write
from batchctl.state.session import FileSession
from batchctl.state.shared.copies import Copies, Copy
from batchctl.state.shared.errors import lease_lost, naming
from batchctl.state.shared.place import Held
from batchctl.state.whole_state import Content


class SharedSession(AbstractContextManager["SharedSession"]):
    """Implements StateSession over a copy of the state. Leaving it releases the lock.

    After a commit that did not reach the shared place, or may not have, nothing more is read or written.
    """

    def __init__(self, address: str, copies: Copies, copy: Copy, inner: FileSession, lock: Held) -> None:
        self._address = address
        self._copies = copies
        self._copy = copy
        self._inner = inner
        self._lock = lock
        self._failure: StateError | None = None

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        self._require()
        with self._naming():
            return self._inner.load(like)

    def check(self) -> None:
        self._require()
        with self._naming():
            self._inner.check()

    def commit(self, writes: Sequence[Write]) -> None:
        self._change(lambda: self._inner.commit(writes))

    def replace_content(self, content: Content, kept: Sequence[Write] = ()) -> str:
        """Replace the complete content; returns the address of the backup that was made before."""
        backup: list[Path] = []
        self._change(lambda: backup.append(self._inner.replace_content(content, kept)))
        return self._lock.copy_name(backup[0].name.removeprefix(self._copy.path.name))

    def fence(self) -> bool:
        """Write the present content back, so that a former holder can no longer write; False if it just did."""
        try:
            return self._push()
        except StateError as error:
            self._failure = error
            raise

    def close_copy(self) -> None:
        """Close the copy, and keep the lock."""
        with self._naming():
            self._inner.__exit__(None, None, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close_copy()
        finally:
            if self._failure is None:
                self._lock.release()
            else:
                self._lock.abandon()

    def _change(self, change: Callable[[], None]) -> None:
        """Make a change in the copy, and write the copy back."""
        self._require()
        try:
            with self._naming():
                change()
                put_side_copies(self._lock, self._copy.path)
            if not self._push():
                raise lease_lost(self._address, "another process wrote to it")
        except StateError as error:
            self._failure = error
            self._copies.forget()
            raise

    def _push(self) -> bool:
        """Write the copy to the shared place; False if that has another version than the one that was read."""
        generation = self._lock.push(self._inner, self._copy.path, self._copy.generation)
        if generation is None:
            return False
        self._copy.generation = generation
        return True

    def _require(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._lock.require()

    def _naming(self) -> AbstractContextManager[None]:
        return naming(self._address, self._copy.path)


def put_side_copies(lock: Held, path: Path) -> None:
    """Write the backups beside a copy, such as `state.db.backup-v19`, to the shared place. Raises StateError."""
    for kind in (".backup-", ".corrupt-", ".migrated-"):
        for file in sorted(path.parent.glob(f"{path.name}{kind}*")):
            if file.name.endswith(("-wal", "-shm", ".part")):
                continue
            lock.keep(file.name.removeprefix(path.name), file)
            file.unlink()
