"""What is going on when a process dies: scenes, each a command and how things stood before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.audit import Rest, audit
from tests.support.long_mode import LONG as IS_LONG
from tests.support.workplace import Moment, Site

SOON = {"pending": "0s", "running": "1s"}
LONG = {"pending": "0s", "running": "10h"}
A_MINUTE = {"pending": "0s", "running": "1m"}
DOOMED = {"match": {"model": "*gemini-2.5-pro"}, **SOON, "fate": "fail"}
EFFECTS = frozenset(
    {
        *("after commit", "after rename", "after replace", "after symlink"),
        *(f"processed {call}" for call in ("create", "cancel", "delete", "upload")),
    }
)
"""The boundaries at which something outside the process has changed since the one before."""
SPARSE = {"gemini": 1, "vertex": 3}
"""In the gate, one of so many situations is tried with a kill."""
STOPS = 4
"""There, one of so many of these is tried with a stop, too."""
MOST_RUNS = 3
"""After a death, so many runs of the same command may be needed until one comes to its end."""


@dataclass(frozen=True)
class Scene:
    """One command. `prepare` changes manifests, the service's rules or its clock before it."""

    name: str
    prepare: Callable[[Site], None]
    command: tuple[str, ...]
    rest: Rest | None = None
    """What things come to; None where the command leaves work for the next scene, or the test checks it by itself."""


Story = tuple[Scene, ...]


@dataclass(frozen=True)
class Take:
    """A scene at a site, ready to be played from its beginning as often as wanted."""

    site: Site
    scenes: Story
    """The scene, and those that follow in its story up to the first that comes to rest."""
    moment: Moment
    trace: tuple[str, ...]
    """The boundaries of a run that nothing interrupts."""

    @property
    def scene(self) -> Scene:
        return self.scenes[0]

    def rewind(self) -> None:
        self.site.restore(self.moment)

    def heal(self) -> None:
        """Run the command again until it comes to its end, then what follows it."""
        for number, scene in enumerate(self.scenes):
            if number:
                scene.prepare(self.site)
            _run_to_end(self.site, scene.command)

    def check(self, where: str, twice: frozenset[str] = frozenset()) -> None:
        """Audit the rest. `where` says how it came about."""
        rest = self.scenes[-1].rest
        assert rest is not None
        try:
            audit(self.site, rest, twice=twice)
        except BaseException as error:
            error.add_note(f"{self.scene.name}: {where}")
            raise


def _run_to_end(site: Site, command: tuple[str, ...]) -> None:
    """Run a command until it comes to its end. Each decision after the death is made again from its bundle."""
    for _ in range(MOST_RUNS):
        ended = site.run(*command, recorded=True)
        if ended.code == 0:
            return
    raise AssertionError(f"it does not come to its end: {ended.code}: {ended.err}")


@dataclass(frozen=True)
class Point:
    """One boundary of a take."""

    take: Take
    at: int

    @property
    def where(self) -> str:
        return self.take.trace[self.at]

    @property
    def is_critical(self) -> bool:
        """Whether the very next thing is a call that changes jobs: who sleeps here must not make it."""
        return self.take.trace[self.at + 1 : self.at + 2] in {
            ("before create",),
            ("before cancel",),
            ("before delete",),
        }


def points(takes: list[Take], how: str) -> list[Point]:
    """The boundaries at which a process dies in one way. In the long mode all; in the gate one of each situation on one
    API, and of some on the other; all that are critical to a stopped process on both."""
    every = [Point(take, at) for take in takes for at in range(len(take.trace))]
    assert len(every) > 50
    if IS_LONG:
        return every
    alike = [group for take in takes for group in situations(take)]
    chosen = [group[number % len(group)] for number, group in enumerate(alike)][:: SPARSE[takes[0].site.api.name]]
    if how == "kill":
        return chosen
    return [*chosen[::STOPS], *(point for point in every if point.is_critical and point not in chosen[::STOPS])]


def situations(take: Take) -> list[list[Point]]:
    """The boundaries by what a killed process leaves behind: it is the same until something outside changes again."""
    groups: list[list[Point]] = [[]]
    for at, where in enumerate(take.trace):
        if where in EFFECTS:
            groups.append([])
        groups[-1].append(Point(take, at))
    return groups


def film(site: Site, story: Story) -> list[Take]:
    """Play the scenes one after the other without a death; each begins where the one before it ended."""
    takes = []
    for number, scene in enumerate(story):
        scene.prepare(site)
        moment = site.keep(scene.name)
        ended = site.run(*scene.command, recorded=True)
        assert ended.code == 0, (scene.name, ended)
        rests = (later for later in range(number, len(story)) if story[later].rest is not None)
        last = next(rests, len(story) - 1)
        takes.append(Take(site, story[number : last + 1], moment, ended.trace))
        if scene.rest is not None:
            audit(site, scene.rest)
    return takes


def _two(site: Site) -> None:
    """A job with its rows in the manifest, and one with a file that is uploaded."""
    site.empty_service()
    site.service.rules(A_MINUTE)
    site.write_job("inline")
    site.write_job("file", "cde", as_file=True)


def _eight(site: Site) -> None:
    _two(site)
    for number in range(6):
        site.write_job(f"job{number}")


def _changes(site: Site) -> None:
    """While they work, one job is replaced, one removed and one has failed; one that had ended is removed too."""
    site.empty_service()
    site.service.rules(SOON)
    site.write_job("ended")
    assert site.run("apply", "--yes", "--wait").code == 0
    site.service.rules(DOOMED, LONG)
    site.write_job("changed")
    site.write_job("removed")
    site.write_job("tried", model="gemini-2.5-pro", lifecycle={"backoffLimit": 1})
    assert site.run("apply", "--yes", "-q").code == 0
    site.service.advance("2s")
    site.service.rules(SOON)
    site.write_job("changed", "abc")
    site.drop_job("removed")
    site.drop_job("ended")


def _later(site: Site) -> None:
    """Jobs have ended, and back-off times."""
    site.service.advance("10m")


CREATE = Scene("create", _two, ("apply", "--yes", "-q"), Rest({"inline": (1, None), "file": (1, None)}))
COLLECT = Scene("collect", _later, ("watch", "-q"), Rest({"inline": (1, "ab"), "file": (1, "cde")}))
CHANGE = Scene("change", _changes, ("apply", "--yes", "-q"))
FOLLOW = Scene("follow", _later, ("watch", "--yes", "-q"), Rest({"changed": (2, "abc"), "tried": (2, "ab")}))
MANY = Scene(
    "many",
    _eight,
    ("apply", "--yes", "--wait", "-q"),
    Rest({"inline": (1, "ab"), "file": (1, "cde"), **{f"job{number}": (1, "ab") for number in range(6)}}),
)
STORIES: dict[str, Story] = {"creation": (CREATE, COLLECT), "change": (CHANGE, FOLLOW)}
