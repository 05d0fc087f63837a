"""The lease protocol of a shared state as a small world: two places for processes, one bucket, every order of events.

`decide_take` and `Lease.may_act` decide, as in the program; this module says what a step does, and where a process can
be overtaken: it may sleep at any moment, die, and be started again; a write may arrive late, even after its process died.
Times are ages that stop growing when they no longer matter, and generations are known or not, so the world is finite:
the search ends when nothing new is found, after any number of processes and any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from batchctl.state.shared.lease import Claim, Lease, Take, decide_take
from tests.support.values import replace

LEASE = Lease(4.0)
OVER = 4
"""The age in steps of time at which nothing changes any more."""
_LAST = 9
"""A rank after all others."""
Ways = Iterator[tuple[str, "World"]]


class At(Enum):
    """The next step of a process."""

    IDLE = "read the lock"
    LOCKING = "write the lock"
    READING = "read the state"
    CONFIRMING = "read the lock again"
    FENCING = "write the fence"
    WORKING = "write an intent, or release the lock"
    LOOKING = "look for the write whose reply was lost"
    CHECKING = "check the lease before the create call"
    SENDING = "send the create call"
    RELEASING = "release the lock"


HAS_TAKEN = frozenset(At) - {At.IDLE, At.LOCKING}
NEEDS_LOCK = frozenset({At.CONFIRMING, At.RELEASING})
"""Steps that wait until a renewal in the background has ended."""


@dataclass(frozen=True)
class Process:
    """One process."""

    at: At = At.IDLE
    knows_lock: bool = False
    """Whether the generation of the lock that it read or wrote is the present one."""
    knows_state: bool = False
    """The same for the state."""
    must_fence: bool = False
    age: int = 0
    """Steps since it sent the renewal that was accepted last."""
    is_author: bool = False
    """Whether the present state is what it wrote last."""
    is_settled: bool = True
    """Whether the outcome of its last write is known."""
    in_fence: bool = False
    """Whether the write that it looks for is the fence."""
    has_intent: bool = False
    """Whether its intent is in the state, or in every later one."""
    rank: int = 0
    """Its place in the order in which the lock was taken."""
    is_overtaken: bool = False
    """Whether a process that took the lock later has begun to work."""
    uses_force: bool = False
    """Whether it is about to break a lock."""
    was_forced: bool = False
    """Whether a person broke or deleted its lock."""


@dataclass(frozen=True)
class Flight:
    """A write of the state that arrives late."""

    sender: int | None
    """The process that looks for it; None if that has ended."""
    knows_state: bool = True
    rank: int = 0
    is_overtaken: bool = False


@dataclass(frozen=True)
class Renewal:
    """A renewal of the lock that arrives late."""

    holder: int
    """Whose lease it renews."""
    is_awaited: bool = True
    """Whether that process still waits for the reply."""
    knows_lock: bool = True
    age: int = 0
    """Steps since it was sent."""


@dataclass(frozen=True)
class World:
    """Everything there is."""

    has_lock: bool = False
    """Whether the lock object exists."""
    holder: int | None = None
    """Who is in it; None: it is free."""
    age: int = 0
    """Steps since it was written."""
    processes: tuple[Process, Process] = (Process(), Process())
    flight: Flight | None = None
    renewal: Renewal | None = None
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
class Rules:
    """The protocol, or one with a fault, which the search has to find."""

    take: Callable[[Claim | None, int | None], Take | None] = decide_take
    may_act: Callable[[float], bool] = LEASE.may_act
    confirms: bool = True
    """Whether a process reads the lock again after it read the state."""
    leaves_lock: bool = True
    """Whether a process that gives up on a write leaves the lock until its lease ends."""

    with_people: bool = True
    """Whether people break and delete locks."""
    with_losses: bool = True
    """Whether replies are lost and writes are late."""
    with_late_renewals: bool = False
    """Whether renewals of the lock are late."""

    @property
    def start(self) -> World:
        """The world before the first event."""
        return World()

    def successors(self, world: World) -> Ways:
        """Every event that may come next, and the world after it."""
        yield "time passes", _later(world)
        if world.has_lock:
            yield (
                "a person deletes the lock",
                _unlocked(replace(world, has_lock=False, holder=None, age=0), world.holder),
            )
        if world.flight is not None:
            yield "a late write arrives", _arrived(world, world.flight)
            yield "a late write is lost", replace(world, flight=None)
        if world.renewal is not None:
            yield "a late renewal arrives", _renewal_arrived(world, world.renewal)
            yield "a late renewal is lost", replace(world, renewal=None)
        for index, process in enumerate(world.processes):
            for words, after in self._steps(world, index, process):
                yield f"{'AB'[index]} {words}", after

    def _steps(self, world: World, index: int, process: Process) -> Ways:
        if process.at is not At.IDLE:
            yield "dies, and is started again", _ended(world, index)
        renewal = world.renewal
        if renewal is not None and renewal.holder == index and renewal.is_awaited:
            yield "gives up on its renewal", replace(world, renewal=replace(renewal, is_awaited=False))
            if process.at in NEEDS_LOCK or (process.at is At.CHECKING and not self.may_act(float(process.age))):
                return
        yield from getattr(self, f"_{process.at.name.lower()}")(world, index, process)
        if process.at in HAS_TAKEN and process.knows_lock and process.age:
            if renewal is None:
                yield "renews the lease in the background", _renewed(world, index)
                if self.with_late_renewals:
                    yield "sends a renewal that is late", replace(world, renewal=Renewal(index))
            elif renewal.holder != index or not renewal.is_awaited:
                yield "renews the lease in the background", _renewed(world, index)

    def _idle(self, world: World, index: int, _process: Process) -> Ways:
        claim = None
        if world.has_lock:
            claim = Claim(1, None if world.holder is None else LEASE.seconds, float(world.age))
        way = self.take(claim, None)
        if way is not None:
            yield "reads the lock", world.put(index, at=At.LOCKING, knows_lock=True, must_fence=way.must_fence)
        elif self.with_people and (way := self.take(claim, 1)) is not None:
            after = world.put(index, at=At.LOCKING, knows_lock=True, must_fence=way.must_fence)
            yield "is to break the lock", after.put(index, uses_force=True)

    def _locking(self, world: World, index: int, process: Process) -> Ways:
        if not process.knows_lock:
            yield "finds the lock changed", _ended(world, index)
            return
        before = world.holder if process.uses_force else None
        after = _lock_written(_unlocked(world, before), index, holder=index)
        yield "takes the lock", _ranked(after.put(index, at=At.READING, uses_force=False, age=0, rank=_LAST))

    def _reading(self, world: World, index: int, process: Process) -> Ways:
        then = At.CONFIRMING if self.confirms else At.FENCING if process.must_fence else At.WORKING
        after = world.put(index, at=then, knows_state=True)
        yield "reads the state", _begun(after, index) if then is At.WORKING else after

    def _confirming(self, world: World, index: int, process: Process) -> Ways:
        if not process.knows_lock:
            yield "finds its lock lost", _ended(world, index)
        elif process.must_fence:
            yield "finds its lock", world.put(index, at=At.FENCING)
        else:
            yield "finds its lock", _begun(world.put(index, at=At.WORKING), index)

    def _fencing(self, world: World, index: int, process: Process) -> Ways:
        if not process.knows_state:
            if process.is_author:
                yield "is refused", world.put(index, at=At.LOOKING, in_fence=True)
            else:
                yield "finds the state changed before the fence", world.put(index, at=At.READING)
            return
        done = _written(world, index)
        yield "writes the fence", _begun(done.put(index, at=At.WORKING), index)
        yield from self._lost(world, done, index, in_fence=True)

    def _working(self, world: World, index: int, process: Process) -> Ways:
        if process.is_settled:
            yield "has nothing to do", world.put(index, at=At.RELEASING)
        if not process.knows_state:
            if process.is_author:
                yield "is refused", world.put(index, at=At.LOOKING, in_fence=False)
            else:
                yield "finds another's write", _ended(world, index)
            return
        done = _written(world, index)
        yield "writes the intent", done.put(index, at=At.CHECKING, has_intent=True)
        yield from self._lost(world, done, index, in_fence=False)

    def _lost(self, world: World, done: World, index: int, *, in_fence: bool) -> Ways:
        """The reply is lost: the write has arrived, or arrives later, or never."""
        if not self.with_losses:
            return
        look = {"at": At.LOOKING, "in_fence": in_fence, "is_settled": False}
        yield "writes, and the reply is lost", done.put(index, knows_state=False, **look)
        if world.flight is None:
            process = world.processes[index]
            flight = Flight(index, rank=process.rank, is_overtaken=process.is_overtaken)
            yield "sends a write that is late", replace(world, flight=flight).put(index, is_author=False, **look)

    def _looking(self, world: World, index: int, process: Process) -> Ways:
        if process.is_author:
            found = world.put(index, knows_state=True, is_settled=True)
            if process.in_fence:
                yield "finds its fence", _begun(found.put(index, at=At.WORKING), index)
            else:
                yield "finds its intent", found.put(index, at=At.CHECKING, has_intent=True)
        elif process.knows_state:
            yield "writes again", world.put(index, at=At.FENCING if process.in_fence else At.WORKING)
            if self.leaves_lock:
                yield "gives up", _ended(world, index)
            else:
                yield "gives up", world.put(index, at=At.RELEASING)
        else:
            yield "finds another's write", _ended(world, index)

    def _checking(self, world: World, index: int, process: Process) -> Ways:
        if self.may_act(float(process.age)):
            yield "has a fresh lease", _sent(world, index)
        elif process.knows_lock:
            yield "renews the lease before the call", _sent(_renewed(world, index), index)
        else:
            yield "finds its lock lost", _ended(world, index)

    def _sending(self, world: World, index: int, _process: Process) -> Ways:
        yield "sends the create call", world.put(index, at=At.WORKING, has_intent=False)

    def _releasing(self, world: World, index: int, process: Process) -> Ways:
        after = _lock_written(world, index, holder=None) if process.knows_lock else world
        yield "releases the lock", _ended(after, index)


def _ended(world: World, index: int) -> World:
    """The process ends, and another one may start in its place."""
    flight = world.flight
    if flight is not None and flight.sender == index:
        flight = replace(flight, sender=None)
    renewal = world.renewal
    if renewal is not None and renewal.holder == index:
        renewal = replace(renewal, is_awaited=False)
    return replace(world, flight=flight, renewal=renewal).put(index, **vars(Process()))


def _later(world: World) -> World:
    older = world.each(lambda _, one: replace(one, age=min(one.age + 1, OVER)) if one.at in HAS_TAKEN else one)
    renewal = world.renewal
    if renewal is not None:
        renewal = replace(renewal, age=min(renewal.age + 1, OVER))
    return replace(older, renewal=renewal, age=min(world.age + 1, OVER) if world.has_lock else 0)


def _lock_written(world: World, index: int, holder: int | None) -> World:
    """The next version of the lock, which only its writer knows."""
    known = world.each(lambda other, one: replace(one, knows_lock=other == index))
    return replace(_overwritten(known), has_lock=True, holder=holder, age=0)


def _overwritten(world: World) -> World:
    """The lock has another version: a late renewal is refused."""
    renewal = world.renewal
    return world if renewal is None else replace(world, renewal=replace(renewal, knows_lock=False))


def _renewal_arrived(world: World, renewal: Renewal) -> World:
    """A late renewal is accepted only if the lock was not written since. Who waits for it learns its version."""
    if not renewal.knows_lock:
        return replace(world, renewal=None)
    holder = renewal.holder
    after = world.each(lambda index, one: replace(one, knows_lock=index == holder and renewal.is_awaited))
    after = replace(after, renewal=None, holder=holder, age=0)
    return after.put(holder, age=renewal.age) if renewal.is_awaited else after


def _unlocked(world: World, holder: int | None) -> World:
    """The world after a person took the lock from its holder; nobody knows its generation any more."""
    lost = _overwritten(world).each(
        lambda index, one: replace(one, knows_lock=False, was_forced=one.was_forced or index == holder)
    )
    return lost if holder is not None or not world.has_lock else world


def _renewed(world: World, index: int) -> World:
    return _lock_written(world, index, holder=index).put(index, age=0)


def _begun(world: World, index: int) -> World:
    """A process relies on the state from here on: those that took the lock before it are overtaken."""
    rank, flight = world.processes[index].rank, world.flight
    if flight is not None and flight.rank < rank:
        flight = replace(flight, is_overtaken=True)
    return replace(world, flight=flight).each(
        lambda _, one: replace(one, is_overtaken=True) if one.at in HAS_TAKEN and one.rank < rank else one
    )


def _ranked(world: World) -> World:
    """The same order in the smallest numbers, so that the world stays finite."""
    ranks = {one.rank for one in world.processes if one.at in HAS_TAKEN}
    flight = world.flight
    order = {rank: place for place, rank in enumerate(sorted(ranks | ({flight.rank} if flight else set())))}
    if flight is not None:
        flight = replace(flight, rank=order[flight.rank])
    return replace(world, flight=flight).each(lambda _, one: replace(one, rank=order.get(one.rank, 0)))


def _written(world: World, index: int) -> World:
    """The state after an accepted write."""
    broken = "a write was accepted of a process that had been overtaken" if world.processes[index].is_overtaken else ""
    after = world.each(lambda other, one: replace(one, knows_state=other == index, is_author=other == index))
    after = after.put(index, is_settled=True)
    flight = None if after.flight is None else replace(after.flight, knows_state=False)
    return replace(after, flight=flight, broken=broken)


def _arrived(world: World, flight: Flight) -> World:
    """A late write is accepted only if nobody wrote in the meantime. Its process may still look for it."""
    if not flight.knows_state:
        return replace(world, flight=None)
    broken = "a late write was accepted after another process had begun to work" if flight.is_overtaken else ""
    # The sender does not know the new generation before it looks.
    after = world.each(lambda index, one: replace(one, knows_state=False, is_author=index == flight.sender))
    return replace(after, flight=None, broken=broken)


def _sent(world: World, index: int) -> World:
    """A check before a create call that passed."""
    process = world.processes[index]
    broken = ""
    if not process.has_intent:
        broken = "a create call without a durable intent"
    elif process.is_overtaken and not process.was_forced:
        broken = "a create call of a process that had been overtaken"
    return replace(world, broken=broken).put(index, at=At.SENDING)
