"""Files of a checkout that a pull request may have manipulated, under any umask."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batchctl.disk.private_files import create_empty, create_file, make_folder, open_or_create, write_file
from batchctl.disk.safe_open import (
    UnsafeFile,
    hold_open,
    is_there,
    open_file,
    open_folder,
    open_stream,
    read_start,
    read_start_in,
    require_regular,
)

SECRET = b"machine github.com password hunter2"


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def link_to_file(path: Path) -> None:
    secret = path.parent.parent / "secret"
    secret.write_bytes(SECRET)
    path.symlink_to(secret)


def link_to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(path.parent)
        one.bind(path.name)


BAD = [link_to_file, link_to_nowhere, link_to_itself, pipe, bound_socket]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stack").mkdir()
    return tmp_path / "stack" / "file"


def inside(path: Path) -> tuple[bytes, os.stat_result]:
    with open_folder(path.parent) as folder:
        return read_start_in(folder, path.name, 9)


@pytest.mark.parametrize("put", BAD)
@pytest.mark.parametrize(
    "use",
    [
        open_file,
        open_stream,
        require_regular,
        lambda path: read_start(path, 9),
        open_or_create,
        inside,
    ],
)
def test_only_regular_files_are_opened(place: Path, put: Callable[[Path], None], use: Callable[[Path], object]) -> None:
    put(place)
    with pytest.raises(UnsafeFile) as caught:
        use(place)
    assert (place.name if use is inside else str(place)) in caught.value.words
    assert "secret" not in str(caught.value)
    if put is link_to_file:
        assert (place.parent.parent / "secret").read_bytes() == SECRET
    assert not (place.parent.parent / "nowhere").exists()


@pytest.mark.parametrize("use", [open_file, create_file, open_or_create, require_regular, is_there, make_folder])
def test_no_folder_on_the_way_may_be_a_link(place: Path, use: Callable[[Path], object]) -> None:
    elsewhere = place.parent.parent / "elsewhere"
    elsewhere.mkdir()
    (place.parent / "sub").symlink_to(elsewhere)
    with pytest.raises(UnsafeFile, match="sub"):
        use(place.parent / "sub" / "file")
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("put", [link_to_file, link_to_nowhere])
def test_a_new_file_is_not_made_through_a_link(place: Path, put: Callable[[Path], None]) -> None:
    put(place)
    with pytest.raises(UnsafeFile):
        create_file(place)
    assert not (place.parent.parent / "nowhere").exists()


def test_a_new_file_needs_a_free_name(place: Path) -> None:
    place.write_text("old")
    with pytest.raises(FileExistsError):
        create_empty(place)
    assert place.read_text() == "old"


def test_a_missing_file_is_reported_as_missing(place: Path) -> None:
    assert not is_there(place)
    assert not is_there(place / "below")
    require_regular(place, place / "below")
    with pytest.raises(FileNotFoundError, match=str(place)):
        open_file(place)
    place.write_text("x")
    assert is_there(place)
    with pytest.raises(NotADirectoryError):
        open_file(place / "below")


def test_a_broken_link_exists(place: Path) -> None:
    link_to_nowhere(place)
    assert is_there(place)


def test_a_file_is_read_up_to_the_limit(place: Path) -> None:
    place.write_bytes(b"0123456789")
    assert read_start(place, 4) == b"0123"
    assert read_start(place, 99) == b"0123456789"
    content, found = inside(place)
    assert content == b"012345678"
    assert (found.st_ino, found.st_size) == (place.stat().st_ino, 10)


def test_a_file_that_grows_meanwhile_is_read_to_its_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_bytes(b"01234")
    fstat = os.fstat

    def late(handle: int) -> os.stat_result:
        found = fstat(handle)
        place.write_bytes(b"0123456789")
        return found

    monkeypatch.setattr(os, "fstat", late)
    assert read_start(place, 99) == b"0123456789"


def test_files_are_read_in_the_folder_that_was_opened(place: Path) -> None:
    place.write_bytes(b"here")
    elsewhere = place.parent.parent / "elsewhere"
    with open_folder(place.parent) as folder:
        place.parent.rename(elsewhere)
        place.parent.symlink_to(elsewhere)
        content, found = read_start_in(folder, place.name, 9)
        assert content == b"here"
        assert found.st_ino == (elsewhere / place.name).stat().st_ino
        with pytest.raises(UnsafeFile, match="stack"), open_folder(place.parent):
            pass
        with pytest.raises(FileNotFoundError, match="missing"):
            read_start_in(folder, "missing", 9)


def test_files_are_private_whatever_the_umask(place: Path, umask: int) -> None:
    create_file(place).close()
    assert mode(place) == 0o600
    os.close(open_or_create(place.with_name("other")))
    assert mode(place.with_name("other")) == 0o600


def test_folders_are_private_whatever_the_umask(place: Path, umask: int) -> None:
    make_folder(place / "a" / "b")
    assert [mode(one) for one in (place, place / "a", place / "a" / "b")] == [0o700] * 3
    place.chmod(0o755)
    make_folder(place / "a" / "b")
    assert mode(place) == 0o755, "what is there keeps its mode"


@pytest.mark.parametrize("use", [open_file, require_regular, open_or_create])
def test_a_folder_is_not_a_file(place: Path, use: Callable[[Path], object]) -> None:
    place.mkdir()
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        use(place)


def test_a_file_is_not_a_folder(place: Path) -> None:
    place.write_text("x")
    with pytest.raises(NotADirectoryError):
        make_folder(place)


def open_handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_below_a_held_folder_are_those_of_the_folder_that_was_found(place: Path) -> None:
    elsewhere = place.parent.parent / "elsewhere"
    with hold_open(place.parent):
        place.parent.rename(elsewhere)
        place.parent.mkdir()
        create_file(place).close()
        make_folder(place.parent / "a" / "b")
        write_file(place.parent / "a" / "b" / "c", b"1", bytearray(b"2"))
        with hold_open(place.parent / "a"):
            assert read_start(place.parent / "a" / "b" / "c", 9) == b"12"
        assert is_there(place.parent / "a")
        (elsewhere / "link").symlink_to(elsewhere / "a")
        with pytest.raises(UnsafeFile, match="link"):
            create_file(place.parent / "link" / "c")
        with pytest.raises(UnsafeFile, match="link"), hold_open(place.parent / "link"):
            pass
    assert not list(place.parent.iterdir())
    assert (elsewhere / place.name).exists()
    with pytest.raises(FileNotFoundError):
        read_start(place, 9)


def test_a_held_folder_may_come_into_being_later(place: Path) -> None:
    later = place.parent / "a" / "b"
    with hold_open(later):
        assert not is_there(later)
        make_folder(later)
        create_file(later / "c").close()
    assert (later / "c").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list open handles")
def test_no_handle_stays_open(place: Path) -> None:
    before = open_handles()
    with hold_open(place.parent), hold_open(place.parent), hold_open(place / "missing"):
        create_file(place).close()
    with pytest.raises(NotADirectoryError), hold_open(place / "below"):
        pass
    with pytest.raises(FileNotFoundError):
        open_file(place.parent / "a" / "b")
    assert open_handles() == before


def test_another_thread_looks_the_path_up_itself(place: Path) -> None:
    place.write_bytes(b"here")
    with hold_open(place.parent), ThreadPoolExecutor(1) as pool:
        place.parent.rename(place.parent.parent / "elsewhere")
        assert is_there(place)
        assert not pool.submit(is_there, place).result()
