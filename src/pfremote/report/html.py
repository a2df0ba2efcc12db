"""The report as one HTML page that needs nothing else: no network, no fonts, no script to be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice

import jinja2
from markupsafe import Markup

from pfremote.report import credentials, words
from pfremote.report.groups import count_credentials, group_findings
from pfremote.report.joined import Joined
from pfremote.report.model import Line, Report, SessionView, StoryView, TurnView
from pfremote.report.page_sessions import choose_sessions, outline
from pfremote.report.story_picture import StoryPicture, draw_story
from pfremote.report.timeline import lay_out, worst_grade
from pfremote.text.terminal import show_block

#: A page with more log lines than this is slow on a phone; the rest is named by its place in evidence.log.
MOST_LINES = 20_000
#: The same holds for messages and for cards of findings; the other formats have all of them.
MOST_STORIES = 500
MOST_CARDS = 500


@dataclass(frozen=True, slots=True)
class Arrow:
    """Consecutive turns of one side without a pause: one arrow in the sequence diagram."""

    side: str
    turns: tuple[TurnView, ...]

    @property
    def first(self) -> TurnView:
        """The turn that gives the arrow its time and the pause before it."""
        return self.turns[0]


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A session as the page shows it; ``lines`` is empty where ``too_many`` says that they are left out."""

    view: SessionView
    arrows: tuple[Arrow, ...]
    grade: str
    lines: Sequence[Line]
    too_many: bool


@dataclass(frozen=True, slots=True)
class StoryPage:
    """The way of a message as the page shows it; ``sessions`` has the anchor of each hop's session, or nothing."""

    anchor: str
    view: StoryView
    picture: StoryPicture | None
    sessions: tuple[str, ...]


def write_html(report: Report) -> Iterator[str]:
    """Yield the page in small parts. Scripts and styles are allowed by their hash only, and nothing may be loaded."""
    style = _asset("report.css")
    script = _asset("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    groups = group_findings(report.findings)
    sessions = choose_sessions(report, groups[:MOST_CARDS])
    outlines = [tuple(map(outline, some)) for some in sessions]
    shown = Joined(outlines)
    messages = len(report.stories)
    template = _environment().get_template("report.html.j2")
    return template.generate(
        report=report,
        timeline=lay_out(list(zip(report.hosts, outlines, strict=True))),
        shown=frozenset(item.anchor for item in shown),
        left_out=len(report.sessions) - len(shown),
        pages=_pages(Joined(sessions)),
        messages=messages,
        messages_left_out=max(messages - MOST_STORIES, 0),
        stories=_stories(report.stories, shown),
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        words=words,
        credentials=credentials,
        to_change=count_credentials(report.exposures, "change"),
        findings=len(groups),
        cards=groups[:MOST_CARDS],
    )


def _pages(sessions: Iterable[SessionView]) -> Iterator[SessionPage]:
    room = MOST_LINES
    for session in sessions:
        fits = len(session.lines) <= room
        room -= len(session.lines) if fits else 0
        lines = session.lines if fits else ()
        yield SessionPage(session, group_turns(session.turns), worst_grade(session), lines, not fits)


def _stories(stories: Iterable[StoryView], shown: Iterable[SessionView]) -> Iterator[StoryPage]:
    anchors = {(item.host, queue_id): item.anchor for item in shown for queue_id in item.queue_ids}
    for number, story in enumerate(islice(stories, MOST_STORIES), 1):
        places = tuple(anchors.get((hop.host, hop.queue_id), "") for hop in story.hops)
        yield StoryPage(f"m{number}", story, draw_story(story), places)


def group_turns(turns: Sequence[TurnView]) -> tuple[Arrow, ...]:
    """Return ``turns`` gathered into arrows: one side's lines with no slow pause between them."""
    groups: list[list[TurnView]] = []
    for turn in turns:
        if groups and groups[-1][0].side == turn.side and not words.grade_gap(turn.gap):
            groups[-1].append(turn)
        else:
            groups.append([turn])
    return tuple(Arrow(group[0].side, tuple(group)) for group in groups)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("pfremote.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: object) -> object:
    """Make every printed value harmless before it is escaped; Markup is our own and passes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return show_block(value)
    return value


def _asset(name: str) -> str:
    return (resources.files("pfremote.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
