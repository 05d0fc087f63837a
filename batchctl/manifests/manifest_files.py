"""Finds the stack file and the manifest files.

Decides which files are manifests and where they may be. It reads bytes and does not interpret them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, field

from batchctl.disk.safe_open import open_folder, read_start, read_start_in
from batchctl.manifests.compose import MAX_BYTES
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import LONGEST_PATH, Faults
from batchctl.manifests.seen_files import SeenFiles
from batchctl.manifests.trust import GIT_HINT, Trust, is_in_git, resolved
from batchctl.model.errors import ManifestError
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.quoting import cut

STACK_FILE = "batchctl.yaml"
STANDARD_INPUT = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
OUTSIDE_HINT = "move it inside, or allow it with BATCHCTL_ALLOW_OUTSIDE=1"


def find_stack_file(config: str | None, env: Mapping[str, str], filenames: Sequence[str], cwd: Path) -> Path:
    """The stack file: `--config`, `BATCHCTL_CONFIG`, upwards from the first `-f`, upwards from `cwd`.

    Raises ManifestError (`StackNotFound`).
    """
    named = config or env.get("BATCHCTL_CONFIG")
    if named:
        path = cwd / named
        path = path / STACK_FILE if path.is_dir() else path
        if path.is_file():
            return path
        raise _not_found(str(path), "there is no such stack file", "name another one with --config")
    starts = [cwd / name for name in filenames if name != STANDARD_INPUT][:1]
    for start in (*starts, cwd):
        for folder in _upwards(start):
            if (folder / STACK_FILE).is_file():
                return _short(folder / STACK_FILE, cwd)
    message = f"no {STACK_FILE} in {cwd.resolve()} or in any folder above"
    raise _not_found(STACK_FILE, message, "run `batchctl init` to create one, or name one with --config")


def _not_found(place: str, message: str, hint: str) -> ManifestError:
    return ManifestError([Diagnostic(Location.without_position(place), Code.STACK_NOT_FOUND, message, hint)])


def _upwards(start: Path) -> Sequence[Path]:
    absolute = Path(os.path.abspath(start))  # noqa: PTH100 - resolve() would follow links, and leave the user's path
    return (absolute, *absolute.parents)


def _short(path: Path, cwd: Path) -> Path:
    """The path relative to the working folder, if it is inside."""
    here = Path(os.path.abspath(cwd))  # noqa: PTH100 - see _upwards
    return cwd / path.relative_to(here) if path.is_relative_to(here) else path


class ManifestFile(Struct, frozen=True):
    """One file of manifests, read."""

    path: str
    """Relative to the stack's folder, with `/`; `-` for standard input."""
    shown: str
    """The path for messages."""
    folder: Path
    """The folder that paths in it are relative to."""
    data: bytes


class _Folder(Struct, frozen=True):
    """An open folder whose files are read."""

    path: Path
    inside: str
    """The beginning of its files' paths, with all links resolved."""
    handle: int
    shown: str
    """The beginning of its files' paths for messages."""
    relative: str
    """The beginning of its files' paths relative to the stack's folder."""


class FileFinder(Struct):
    """Collects the manifest files of one stack, each once."""

    stack_file: Path
    """Resolved."""
    shown_folder: Path
    """The stack's folder as the user named it, for messages."""
    results: Collection[Path]
    """Folders that hold no manifests."""
    trust: Trust
    faults: Faults
    price_list: Path | None = None
    """Resolved: a file that is no manifest, wherever it is."""
    noted: SeenFiles | None = None
    """Notes each file and folder before it is read."""
    _seen: set[str] = field(default_factory=set)
    """Real paths, as texts, because there may be a hundred thousand; also those of files that are no manifests."""
    _results: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._results = frozenset(map(str, self.results))
        self._seen.update({str(self.stack_file), str(self.price_list)})

    def find(self, path: Path, place: Location) -> Iterator[ManifestFile]:
        """The file at a path, or all manifest files in the folder and its subfolders, sorted.

        Errors are reported at `place`, where the path is written.
        """
        if not os.path.exists(path):  # noqa: PTH110 - unlike Path.exists, never raises for a name that cannot be
            self.faults.add(place, Code.FILE_NOT_FOUND, f"there is no file or folder {self._named(path)}")
        elif self._allowed(path, place):
            yield from self._walk(path, str(resolved(path)), place) if path.is_dir() else self._read(path, place)

    def warn_of_unread(self, places: Sequence[Path]) -> None:
        """Warn of manifests directly in the stack's folder that nothing has named; `places` are those of the stack."""
        folder = self.stack_file.parent
        names = [] if str(folder) in self._seen else self._others_in(folder)
        if not names:
            return
        from batchctl.manifests.unread import unread_manifests  # most stacks have no other such file

        folders = [path for path in places if path.is_dir()][:1]
        way_out = "".join(f"move it to {self._named(path)}, or " for path in folders)
        for name in unread_manifests(folder, names):
            shown = self._shown(folder / name)
            message = f"this manifest is not read: spec.manifests of {self.stack_file.name} does not name it"
            with self.faults.of_manifest(name, shown):
                hint = f"{way_out}add {name} to spec.manifests"
                self.faults.warn(Location.without_position(shown), Code.UNREAD_MANIFEST, message, hint)

    def _others_in(self, folder: Path) -> list[str]:
        """The names of files in a folder that may be manifests and were not read, sorted."""
        start = os.path.join(str(folder), "")  # noqa: PTH118 - with its last slash
        try:
            with os.scandir(folder) as entries:
                return sorted(
                    entry.name
                    for entry in entries
                    if _has_suffix(entry.name)
                    and not entry.name.startswith(".")
                    and start + entry.name not in self._seen
                    and entry.is_file(follow_symlinks=False)
                )
        except PermissionError:
            # A folder that may be entered but not listed gives no warning: its files cannot be found.
            return []

    def _shown(self, path: str | Path) -> str:
        return shown_path(path, self.stack_file.parent, self.shown_folder)

    def _named(self, path: str | Path) -> str:
        return cut(self._shown(path), LONGEST_PATH)

    def _allowed(self, path: Path, place: Location) -> bool:
        allowed = self.trust.allows_path(path, self.stack_file.parent)
        if not allowed:
            message = f"{self._named(path)} is outside the stack's folder"
            self.faults.add(place, Code.OUTSIDE_STACK, message, OUTSIDE_HINT)
        elif is_in_git(path, self.stack_file.parent):
            allowed = False
            self.faults.add(place, Code.OUTSIDE_STACK, f"{self._named(path)} is in Git's own folder", GIT_HINT)
        return allowed

    def _walk(self, folder: Path, real: str, place: Location) -> Iterator[ManifestFile]:
        """The files below an allowed folder; `real` is its path with all links resolved."""
        # A link to a parent folder would cause an endless walk.
        if real in self._seen:
            return
        self._seen.add(real)
        self._note(folder)
        try:
            entries = list_folder(folder)
            with open_folder(Path(real)) as handle:
                inside = os.path.join(real, "")  # noqa: PTH118 - with its last slash
                opened = _Folder(
                    folder, inside, handle, self._shown(folder / "-")[:-1], self._relative(f"{inside}-")[:-1]
                )
                while entries:
                    entry = entries.pop()
                    if entry.is_symlink():
                        yield from self._follow(entry, opened, place)
                    elif entry.is_dir():
                        yield from self._below(entry, opened, place)
                    elif (file := self._file(entry, opened, place)) is not None:
                        yield file
        except OSError as error:
            self._unreadable(folder, place, error)

    def _below(self, entry: os.DirEntry[str], folder: _Folder, place: Location) -> Iterator[ManifestFile]:
        """A folder that is no link: it is inside its own, which is allowed. The same applies to a file."""
        real = folder.inside + entry.name
        if not entry.name.startswith(".") and real not in self._results:
            yield from self._walk(folder.path / entry.name, real, place)

    def _file(self, entry: os.DirEntry[str], folder: _Folder, place: Location) -> ManifestFile | None:
        name, real = entry.name, folder.inside + entry.name
        if name.startswith(".") or real in self._results or not _has_suffix(name):
            return None
        data = self._data(entry.path, real, place, partial(self._read_in, folder, entry), is_file=entry.is_file())
        if data is None:
            return None
        path = folder.relative + name
        shown = path if folder.shown == folder.relative else folder.shown + name  # there may be a hundred thousand
        return ManifestFile(path, shown, folder.path, data)

    def _read_in(self, folder: _Folder, entry: os.DirEntry[str]) -> bytes:
        """The content of a file that is no link. It is noted as it was opened: another look at it costs as much."""
        data, found = read_start_in(folder.handle, entry.name, MAX_BYTES + 1)
        self._note(entry.path, found)
        return data

    def _follow(self, entry: os.DirEntry[str], folder: _Folder, place: Location) -> Iterator[ManifestFile]:
        """A link, which may lead anywhere."""
        path = folder.path / entry.name
        real = resolved(path)
        if entry.name.startswith(".") or real in self.results:
            return
        if path.is_dir():
            yield from self._walk(path, str(real), place) if self._allowed(path, place) else ()
        elif _has_suffix(entry.name) and self._allowed(path, place):
            yield from self._read(path, place)

    def _read(self, path: Path, place: Location) -> Iterator[ManifestFile]:
        real = resolved(path)
        if str(real) not in self._seen:
            self._note(path)
        # os.path.isfile never raises, see find().
        data = self._data(path, str(real), place, partial(read_bounded, real), is_file=os.path.isfile(real))  # noqa: PTH113
        if data is not None:
            yield ManifestFile(self._relative(real), self._shown(path), path.parent, data)

    def _data(
        self, path: str | Path, real: str, place: Location, read: Callable[[], bytes], *, is_file: bool
    ) -> bytes | None:
        """The content of a file; None if it was read before, or after an error."""
        if real in self._seen:
            return None
        self._seen.add(real)
        if not is_file:
            # A broken link, or a pipe that would block. Ignoring it could remove a job.
            self.faults.add(place, Code.UNREADABLE_FILE, f"{self._named(path)} is not a regular file")
            return None
        try:
            return read()
        except OSError as error:
            self._note(path)
            self._unreadable(path, place, error)
            return None

    def _note(self, path: str | Path, found: os.stat_result | None = None) -> None:
        if self.noted is not None:
            self.noted.note(path, found)

    def _relative(self, real: str | Path) -> str:
        return Path(os.path.relpath(real, self.stack_file.parent)).as_posix()

    def _unreadable(self, path: str | Path, place: Location, error: OSError) -> None:
        message = f"{self._named(path)} cannot be read: {error.strerror}"
        self.faults.add(place, Code.UNREADABLE_FILE, message)


def _has_suffix(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, the last by its name first. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name, reverse=True)


def read_bounded(real: Path) -> bytes:
    """Read at most one byte more than the limit, so that the caller notices a larger file. Raises OSError.

    The caller has checked the path with all links resolved; this function follows none.
    """
    return read_start(real, MAX_BYTES + 1)


def read_stream(stream: BinaryIO, folder: Path) -> ManifestFile:
    """Read standard input as a manifest file in the stack's folder."""
    return ManifestFile(STANDARD_INPUT, STANDARD_INPUT, folder, stream.read(MAX_BYTES + 1))


def shown_path(path: str | Path, folder: Path, shown_folder: Path) -> str:
    """The path for messages: through the stack's folder as the user named it, if the path is inside."""
    relative = os.path.relpath(path, folder)
    return str(path) if relative.startswith("..") else str(shown_folder / relative)
