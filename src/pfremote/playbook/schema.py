"""What a playbook may say: the one definition behind the reader, the JSON Schema and the reference page."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pfremote.playbook import scalars
from pfremote.playbook.condition import read_condition
from pfremote.playbook.scalars import DRAFT, BatchSize, Scalar

Format = Literal["html", "md", "txt", "json"]

Text = Annotated[str, scalars.TEXT]
Flag = Annotated[bool, scalars.FLAG]
TlsLevel = Annotated[int, scalars.TLS_LEVEL]
Condition = Annotated[str, Scalar(read_condition, {"type": ["string", "boolean"]}, template=False)]
FormatName = Annotated[
    Format, Scalar(scalars.read_choice("html", "md", "txt", "json"), {"enum": ["html", "md", "txt", "json"]})
]


def _as_list(value: object, info: ValidationInfo) -> object:
    """One value is a list of one; a list in a list, as a variable may bring it, is laid flat."""
    if not isinstance(value, list):
        return value if value is None or isinstance(value, dict) else [value]
    if info.context == DRAFT:
        return value
    return [inner for item in value for inner in (item if isinstance(item, list) else [item])]


def _one_or_more(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


def _file_schema() -> dict[str, Any]:
    name = dict(scalars.TEXT.schema)
    return {"anyOf": [name, {"type": "array", "items": name, "minItems": 1}]}


def _batch_schema() -> dict[str, Any]:
    return {"anyOf": [dict(scalars.BATCH.schema), {"type": "string", "pattern": r"\{\{"}]}


def _usual_formats() -> list[Format]:
    return ["html", "md"]


class Section(BaseModel):
    """A mapping whose every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tls(Section):
    """TLS log levels. Not per peer: they hold for all peers while the window is open."""

    smtpd: TlsLevel | None = Field(
        default=None, description="smtpd_tls_loglevel, for incoming mail: 0 to 2; 3 and 4 need allow_content"
    )
    smtp: TlsLevel | None = Field(default=None, description="smtp_tls_loglevel, for outgoing mail")
    lmtp: TlsLevel | None = Field(default=None, description="lmtp_tls_loglevel, for LMTP")


class StopAfter(Section):
    """What ends a window before its time."""

    sessions: Annotated[int, scalars.COUNT] | None = Field(
        default=None, description="end after this many matching sessions"
    )


class Debug(Section):
    """What to debug; the same words as on the command line."""

    peers: Annotated[
        list[Text], BeforeValidator(_as_list), Field(min_length=1), _one_or_more(dict(scalars.TEXT.schema))
    ] = Field(description="whom to debug: a peer or a list of them, in the forms that --peer takes")
    level: Annotated[int, scalars.LEVEL] = Field(
        default=2, description="debug_peer_level: 1 or 2; 3 logs message content and needs allow_content"
    )
    tls: Tls = Field(default_factory=Tls, description="TLS log levels, each left alone where it is not named")
    minutes: Annotated[int, scalars.MINUTES] | None = Field(
        default=None, description='length of the window: minutes, or "90s", "1h"; usually 10'
    )
    stop_after: StopAfter = Field(default_factory=StopAfter, description="what ends the window before its time")
    max_log: Annotated[int, scalars.SIZE] | None = Field(
        default=None, description="end when the log grew by this much; usually 256M"
    )
    min_free: Annotated[int, scalars.PERCENT] | None = Field(
        default=None,
        description="end, or do not begin, with less than this percentage of the log's disk free; usually 10",
    )
    allow_content: Flag = Field(default=False, description="allow levels that log message content")
    all_peers: Flag = Field(default=False, description="allow a peer that matches every client")
    guard: Annotated[str, scalars.GUARD] | None = Field(
        default=None, description="what ends the lease on the host when the client does not come back; usually auto"
    )
    allow_volatile_guard: Flag = Field(default=False, description="accept a guard that does not survive a reboot")
    drain: Annotated[int, scalars.DRAIN] | None = Field(
        default=None,
        description='how long to wait for sessions that are open at the end, with its unit; usually "60s"',
    )


class Collect(Section):
    """What to keep of what the hosts send. The redacted log lines are always kept."""

    main_cf: Flag = Field(
        default=True, description="keep main.cf before, during and after, redacted, and the difference"
    )
    transcripts: Flag = Field(default=True, description="write each session's dialogue to a file of its own")
    keep_on_host: Flag = Field(default=False, description="leave the evidence on the host too, for its seven days")


class Report(Section):
    """The report in the run folder."""

    format: Annotated[
        list[FormatName],
        BeforeValidator(_as_list),
        Field(min_length=1),
        _one_or_more({"enum": ["html", "md", "txt", "json"]}),
    ] = Field(default_factory=_usual_formats, description="html, md, txt or json, or a list of them")


class Hook(Section):
    """A receiver of notices: a program or a web address, one of them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"oneOf": [{"required": ["command"]}, {"required": ["webhook"]}]},
    )

    command: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None,
        description="program and arguments, run without a shell; it gets the notice as JSON on stdin",
    )
    webhook: Annotated[str, scalars.WEBHOOK] | None = Field(
        default=None, description="http or https address that the notice is posted to as JSON"
    )
    timeout: Annotated[int, scalars.SECONDS] = Field(default=10, description="seconds that it may take")

    @model_validator(mode="after")
    def _have_one(self) -> Self:
        if (self.command is None) == (self.webhook is None):
            hint = "Write command: [PROGRAM, ARGUMENT] or webhook: https://HOST/PATH."
            message = "a hook is either a command or a webhook"
            raise PydanticCustomError("playbook", "{message}", {"message": message, "hint": hint})
        return self


class Notify(Section):
    """Whom to tell, and when. A hook that fails is a warning and changes nothing."""

    start: list[Hook] = Field(default_factory=list, description="before the play's first host is contacted")
    finish: list[Hook] = Field(default_factory=list, description="when the play is over")
    failure: list[Hook] = Field(default_factory=list, description="when the play is over and a host failed or refused")


class Play(Section):
    """What to debug on which hosts, in which order."""

    name: Text | None = Field(default=None, description="what the play is for; shown, and kept with the run")
    hosts: Annotated[
        list[Text], BeforeValidator(_as_list), Field(min_length=1), _one_or_more(dict(scalars.TEXT.schema))
    ] = Field(description="host, group or pattern of the inventory, or a list of them")
    vars: Annotated[
        dict[Annotated[str, scalars.VARIABLE_NAME], Any],
        WithJsonSchema({"type": "object", "propertyNames": {"pattern": r"^(?!ansible_|pfremote_)[^\W\d]\w*$"}}),
    ] = Field(
        default_factory=dict,
        description="variables for templates; the inventory's and then -e go before them",
    )
    vars_files: Annotated[list[Text | list[Text]], BeforeValidator(_as_list), _one_or_more(_file_schema())] = Field(
        default_factory=list,
        description="files of variables that go before the inventory; of a list in the list the first that exists",
    )
    instance: Text | None = Field(
        default=None,
        description="the Postfix instance: a name that postmulti -l shows, or a configuration directory",
    )
    serial: Annotated[
        list[Annotated[BatchSize, scalars.BATCH]],
        BeforeValidator(_as_list),
        Field(min_length=1),
        _one_or_more(_batch_schema()),
    ] = Field(
        default_factory=list,
        description='hosts at a time: a number, "30%", or a list whose last one repeats; usually all',
    )
    max_fail_percentage: Annotated[float, scalars.SHARE] | None = Field(
        default=None,
        description="stop after a batch of which more than this percentage failed; usually when all did",
    )
    any_errors_fatal: Flag = Field(default=False, description="stop after a batch in which any host failed")
    debug: Debug = Field(description="what to debug")
    when: Annotated[
        list[Condition],
        BeforeValidator(_as_list),
        Field(min_length=1),
        _one_or_more({"type": ["string", "boolean"]}),
    ] = Field(
        default_factory=list,
        description="condition over facts and variables, or several; hosts where one is false are left alone",
    )
    confirm: Text | None = Field(
        default=None, description="question to ask on the terminal before the play; elsewhere --yes is needed"
    )
    reason: Text | None = Field(default=None, description="why; all who ask for the status see it")
    collect: Collect = Field(default_factory=Collect, description="what to keep of what the hosts send")
    report: Report = Field(default_factory=Report, description="the report in the run folder")
    notify: Notify = Field(default_factory=Notify, description="whom to tell, and when")
