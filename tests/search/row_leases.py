"""The lock of a state in PostgreSQL as a small world: two places for processes, one row, every order of events.

`decide_take` and `Lease.may_act` decide, as in the program. A transaction on the row is one step, because it locks the
row first; a COMMIT without a reply keeps the row until it arrives or is lost. A process may sleep at any moment, die,
be started again, and lose its connection without noticing. Ages stop growing when they no longer matter, and versions
are known or not, so the world is finite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from batchctl.state.shared.lease import Claim, Lease, Take, decide_take

ALONE = Lease(2.0)
CONNECTED = 4.0
OVER = 4
"""The age in steps of time at which nothing changes any more."""
_LAST = 9
GHOST = 2
"""The holder in the row whose process has ended."""
Ways = Iterator[tuple[str, "World"]]


class At(Enum):
    """The next step of a process."""

    IDLE = "take the lock"
    READING = "read the tables"
    CONFIRMING = "renew the lease before the tables are used"
    WORKING = "commit an intent, or release the lock"
    LOOKING = "look for the commit whose reply was lost"
    CHECKING = "check the lease before the create call"
    SENDING = "send the create call"


@dataclass(frozen=True)
class Process:
    """One process."""

    at: At = At.IDLE
    age: int = 0
    """Steps since it sent the renewal that was accepted last."""
    knows_version: bool = False
    """Whether the version in the row is one that it read or sent."""
    has_intent: bool = False
    """Whether its intent is in the tables, or in every later version."""
    rank: int = 0
    """Its place in the order in which the lock was taken."""
    is_overtaken: bool = False
    """Whether a process that took the lock later has begun to work."""
    was_forced: bool = False


@dataclass(frozen=True)
class Flight:
    """A COMMIT on its way. It has the row."""

    sender: int | None
    rank: int
    is_overtaken: bool = False
    age: int = 0


@dataclass(frozen=True)
class World:
    """Everything there is."""

    holder: int | None = None
    """Who is in the row; None: it is free."""
    is_guarded: bool = False
    """Whether the holder has its advisory lock: whether its connection is open, as the server sees it."""
    age: int = 0
    """Steps since the last renewal, by the server's clock."""
    processes: tuple[Process, Process] = (Process(), Process())
    flight: Flight | None = None
    broken: str = ""
    """The promise that was broken last."""

    def put(self, index: int, **changes: object) -> World:
        processes = list(self.processes)
        processes[index] = replace(processes[index], **changes)  # type: ignore[arg-type]
        return replace(self, processes=(processes[0], processes[1]))

    def each(self, change: Callable[[int, Process], Process]) -> World:
        first, second = (change(index, process) for index, process in enumerate(self.processes))
        return replace(self, processes=(first, second))


@dataclass(frozen=True)
class RowRules:
    """The protocol, or one with a fault, which the search has to find."""

    take: Callable[[Claim | None, int | None], Take | None] = decide_take
    may_act: Callable[[float], bool] = ALONE.may_act
    alone: float = ALONE.seconds
    finds_itself: bool = True
    """Whether a transaction requires its process in the row."""
    settles: bool = True
    """Whether a commit without a reply is looked for, in place of trusting that it arrived."""
    keeps_row: bool = True
    """Whether a COMMIT on its way has the row."""

    @property
    def start(self) -> World:
        """The world before the first event."""
        return World()

    def successors(self, world: World) -> Ways:
        """Every event that may come next, and the world after it."""
        yield "time passes", _later(world)
        if world.is_guarded:
            yield "the server sees the holder's connection end", replace(world, is_guarded=False)
        if world.flight is not None:
            yield "a late COMMIT arrives", self._arrived(world, world.flight)
            yield "a late COMMIT is lost", replace(world, flight=None)
        for index, process in enumerate(world.processes):
            for words, after in self._steps(world, index, process):
                yield f"{'AB'[index]} {words}", after

    def _steps(self, world: World, index: int, process: Process) -> Ways:
        yield from getattr(self, f"_{process.at.name.lower()}")(world, index, process)
        if process.at is not At.IDLE:
            yield "dies, and is started again", _ended(world, index)
            if self._has_row(world, index) and (process.age or not world.is_guarded):
                yield "renews the lease in the background", _renewed(world, index)

    def _has_row(self, world: World, index: int) -> bool:
        """Whether a transaction of this process gets the row, and finds the process in it."""
        return self._row_is_free(world) and (world.holder == index or not self.finds_itself)

    def _row_is_free(self, world: World) -> bool:
        return world.flight is None or not self.keeps_row

    def _idle(self, world: World, index: int, _process: Process) -> Ways:
        if not self._row_is_free(world):
            return
        seconds = None if world.holder is None else CONNECTED if world.is_guarded else self.alone
        claim = Claim(1, seconds, float(world.age))
        for words, broken in (("takes the lock", None), ("takes the lock by force", 1)):
            if self.take(claim, broken) is None or (broken and world.holder is None):
                continue
            former = world.holder if broken else None
            after = world.each(lambda other, one: replace(one, was_forced=one.was_forced or other == former))  # noqa: B023
            after = replace(after, holder=index, is_guarded=True, age=0)
            yield words, _ranked(after.put(index, at=At.READING, age=0, rank=_LAST))

    def _reading(self, world: World, index: int, _process: Process) -> Ways:
        # The versions that it may write over are that of the row when it took the lock: one that another process wrote
        # since then is not.
        yield "reads the tables", world.put(index, at=At.CONFIRMING, knows_version=world.holder == index)

    def _confirming(self, world: World, index: int, _process: Process) -> Ways:
        if self._has_row(world, index):
            yield "finds its lock", _begun(_renewed(world, index), index)
        elif self._row_is_free(world):
            yield "finds its lock lost", _ended(world, index)

    def _working(self, world: World, index: int, process: Process) -> Ways:
        if not self._row_is_free(world):
            return
        if not self._has_row(world, index) or not process.knows_version:
            yield "finds its lock lost", _ended(world, index)
            return
        done = _written(world, index)
        yield "commits the intent", done.put(index, at=At.CHECKING)
        then = At.LOOKING if self.settles else At.CHECKING
        yield "commits, and the reply is lost", done.put(index, at=then, age=process.age)
        flight = Flight(index, process.rank, process.is_overtaken)
        yield "commits, and the COMMIT is late", replace(world, flight=flight).put(index, at=then)
        yield "has nothing to do, and releases the lock", _ended(replace(world, holder=None, is_guarded=False), index)

    def _looking(self, world: World, index: int, process: Process) -> Ways:
        yield "gives up", _ended(world, index)
        if not self._row_is_free(world):
            return
        if self._has_row(world, index) and process.knows_version:
            # The same records are sent again, whether they arrived or not.
            yield "commits the intent again", _written(world, index).put(index, at=At.CHECKING)
        else:
            yield "finds its lock lost", _ended(world, index)

    def _checking(self, world: World, index: int, process: Process) -> Ways:
        if self.may_act(float(process.age)):
            yield "has a fresh lease", _sent(world, index)
        elif self._has_row(world, index):
            yield "renews the lease before the call", _sent(_renewed(world, index), index)
        elif self._row_is_free(world):
            yield "finds its lock lost", _ended(world, index)

    def _sending(self, world: World, index: int, _process: Process) -> Ways:
        yield "sends the create call", world.put(index, at=At.WORKING, has_intent=False)

    def _arrived(self, world: World, flight: Flight) -> World:
        broken = "a late write was accepted after another process had begun to work" if flight.is_overtaken else ""
        sender = flight.sender

        def seen(index: int, one: Process) -> Process:
            is_author = index == sender
            return replace(one, knows_version=is_author, has_intent=one.has_intent or is_author)

        return replace(world.each(seen), flight=None, age=flight.age, broken=broken)


def _ended(world: World, index: int) -> World:
    """The process ends, and another one may start in its place. The row, and a COMMIT on its way, remain."""
    flight = world.flight
    if flight is not None and flight.sender == index:
        flight = replace(flight, sender=None)
    holder = GHOST if world.holder == index else world.holder
    return replace(world, flight=flight, holder=holder).put(index, **vars(Process()))


def _later(world: World) -> World:
    older = world.each(lambda _, one: replace(one, age=min(one.age + 1, OVER)) if one.at is not At.IDLE else one)
    flight = world.flight
    if flight is not None:
        flight = replace(flight, age=min(flight.age + 1, OVER))
    return replace(older, flight=flight, age=0 if world.holder is None else min(world.age + 1, OVER))


def _renewed(world: World, index: int) -> World:
    """A transaction of the holder; on a new connection if it has lost the one before."""
    return replace(world, holder=index, is_guarded=True, age=0).put(index, age=0)


def _written(world: World, index: int) -> World:
    """The world after an accepted commit, which renews the lease."""
    broken = "a write was accepted of a process that had been overtaken" if world.processes[index].is_overtaken else ""
    after = world.each(lambda other, one: replace(one, knows_version=other == index))
    return replace(_renewed(after, index), broken=broken).put(index, has_intent=True)


def _begun(world: World, index: int) -> World:
    """A process relies on the tables from here on: those that took the lock before it are overtaken."""
    rank, flight = world.processes[index].rank, world.flight
    if flight is not None and flight.rank < rank:
        flight = replace(flight, is_overtaken=True)
    after = replace(world, flight=flight).each(
        lambda _, one: replace(one, is_overtaken=True) if one.at is not At.IDLE and one.rank < rank else one
    )
    return after.put(index, at=At.WORKING)


def _ranked(world: World) -> World:
    """The same order in the smallest numbers, so that the world stays finite."""
    ranks = {one.rank for one in world.processes if one.at is not At.IDLE}
    flight = world.flight
    order = {rank: place for place, rank in enumerate(sorted(ranks | ({flight.rank} if flight else set())))}
    if flight is not None:
        flight = replace(flight, rank=order[flight.rank])
    return replace(world, flight=flight).each(lambda _, one: replace(one, rank=order.get(one.rank, 0)))


def _sent(world: World, index: int) -> World:
    """A check before a create call that passed."""
    process = world.processes[index]
    broken = ""
    if not process.has_intent:
        broken = "a create call without a durable intent"
    elif process.is_overtaken and not process.was_forced:
        broken = "a create call of a process that had been overtaken"
    return replace(world, broken=broken).put(index, at=At.SENDING)
