"""What can be done with sources, processors and sinks: list, add, change, take out, and which types there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal, Protocol

import attrs
import trio
from msgspec import Meta

from yaat_core.actions.base import Action
from yaat_core.actions.config import ConfirmSeconds, DryRun, File
from yaat_core.config.editing.results import Applied
from yaat_core.config.editing.types import TypeInfo
from yaat_core.operations import Operations
from yaat_core.sampling import Tested
from yaat_core.status import ComponentStatus, Rates

ComponentKind = Literal["sources", "processors", "sinks"]
OneKind = Annotated[ComponentKind, Meta(description="Sources, processors or sinks.")]
Name = Annotated[str, Meta(min_length=1, max_length=64, description="Name of the component.")]
Options = Annotated[Mapping[str, Any], Meta(description="Its options, as they would be written.")]
Hash = Annotated[
    str | None,
    Meta(description="`hash` of a dry run: refused when the file is another by now. Null: as it is now."),
]


@attrs.frozen(kw_only=True)
class ListGiven:
    """Which components to list."""

    kind: Annotated[ComponentKind | None, Meta(description="Of this kind; null: all.")] = None


@attrs.frozen(kw_only=True)
class TypesGiven:
    """Which types to list."""

    kind: Annotated[
        Literal["sources", "processors", "sinks", "queue"] | None,
        Meta(description="Of this kind; null: all."),
    ] = None


@attrs.frozen(kw_only=True)
class GetGiven:
    """Which component to show."""

    kind: OneKind
    name: Name


@attrs.frozen(kw_only=True)
class AddGiven:
    """A component to add. ``hash`` as `config.apply` has it, of the file that it goes to."""

    kind: OneKind
    name: Name
    type: Annotated[str, Meta(min_length=1, description="Its type, as `components.types` lists them.")]
    options: Options = attrs.field(factory=dict)
    before: Annotated[
        str | None, Meta(description="Of processors: the one that it comes before; null: the last one.")
    ] = None
    file: File = None
    keep_defaults: Annotated[
        bool,
        Meta(
            description="A section that is not written yet is written with what holds by default, "
            "since a written section takes its place."
        ),
    ] = True
    hash: Hash = None
    dry_run: DryRun = False
    confirm_seconds: ConfirmSeconds = None


@attrs.frozen(kw_only=True)
class EditGiven:
    """What to change of a component: keys by their path below it, or all of it."""

    kind: OneKind
    name: Name
    set: Annotated[Mapping[str, Any], Meta(description="By path below the component: the value.")] = (
        attrs.field(factory=dict)
    )
    unset: Annotated[list[str], Meta(description="Paths below the component that go.")] = attrs.field(
        factory=list
    )
    value: Annotated[
        Mapping[str, Any] | None,
        Meta(
            description="The whole component with its `type`, in place of what it is; null: only the above."
        ),
    ] = None
    rename: Annotated[str | None, Meta(description="Its new name.")] = None
    hash: Hash = None
    dry_run: DryRun = False
    confirm_seconds: ConfirmSeconds = None


@attrs.frozen(kw_only=True)
class RemoveGiven:
    """Which component to take out."""

    kind: OneKind
    name: Name
    hash: Hash = None
    dry_run: DryRun = False
    confirm_seconds: ConfirmSeconds = None


@attrs.frozen(kw_only=True)
class TestGiven:
    """Which component to try: a configured one, or (``value``) one that is not written yet, or differs from what is."""

    kind: OneKind
    name: Name
    value: Annotated[
        Mapping[str, Any] | None,
        Meta(
            description="The whole component with its `type`, as it would be written; null: as it is configured."
        ),
    ] = None
    source: Annotated[
        str | None,
        Meta(description="Of a processor: the source whose lines it gets; null: the first that fits."),
    ] = None
    lines: Annotated[int, Meta(ge=1, le=200, description="Lines of a source at most.")] = 20
    seconds: Annotated[float, Meta(gt=0, le=60, description="Seconds that reading may take.")] = 5.0


@attrs.frozen(kw_only=True)
class ComponentInfo:
    """One component as it is configured and as it runs. ``value`` is what is written, secrets masked.

    ``file`` is null for one that is there by default. ``status`` and ``rates`` are null when no agent runs, or
    for what has none.
    """

    kind: str
    name: str
    type: str
    file: str | None
    line: int | None
    value: Mapping[str, Any]
    status: ComponentStatus | None = None
    rates: Rates | None = None


@attrs.frozen(kw_only=True)
class Components:
    """In the order of the pipeline. ``running``: an agent told how they are."""

    components: Sequence[ComponentInfo]
    running: bool


@attrs.frozen(kw_only=True)
class ComponentValue:
    """One component as it is written, secrets and all. ``hash`` is that of its file."""

    kind: str
    name: str
    value: Mapping[str, Any]
    file: str | None
    line: int | None
    hash: str


@attrs.frozen(kw_only=True)
class Types:
    """Component types with their options."""

    types: Sequence[TypeInfo]


async def _list(agent: Operations, given: ListGiven) -> Components:
    from yaat_core.config.editing.components import written_components
    from yaat_core.config.editing.files import ConfigFiles
    from yaat_core.config.editing.masking import masked_value

    desk = agent.editor.desk()

    def look() -> list[Any]:
        return written_components(ConfigFiles.read(desk.path), desk.plugins)

    found = [one for one in await trio.to_thread.run_sync(look) if given.kind in (None, one.kind)]
    status = await agent.editor.status() if agent.editor.status else None
    states = {one.id: one for one in status.components} if status else {}
    rates = {one.component: one for one in status.rates} if status else {}
    return Components(
        components=[
            ComponentInfo(
                kind=one.kind,
                name=one.name,
                type=str(one.value.get("type", "")),
                file=str(one.file) if one.file else None,
                line=one.line,
                value=masked_value(one.kind, one.value, desk.plugins.registry),
                status=states.get(f"{one.kind}.{one.name}"),
                rates=rates.get(f"{one.kind}.{one.name}"),
            )
            for one in found
        ],
        running=status is not None,
    )


async def _get(agent: Operations, given: GetGiven) -> ComponentValue:
    from yaat_core.config.editing.components import find
    from yaat_core.config.editing.files import ConfigFiles

    desk = agent.editor.desk()

    def look() -> ComponentValue:
        files = ConfigFiles.read(desk.path)
        one = find(files, desk.plugins, given.kind, given.name)
        return ComponentValue(
            kind=one.kind,
            name=one.name,
            value=one.value,
            file=str(one.file) if one.file else None,
            line=one.line,
            hash=files.of(one.file).hash,
        )

    return await trio.to_thread.run_sync(look)


async def _types(agent: Operations, given: TypesGiven) -> Types:
    from yaat_core.config.editing.types import types_of

    return Types(types=types_of(agent.editor.desk().plugins, given.kind))


async def _add(agent: Operations, given: AddGiven) -> Applied:
    from yaat_core.config.editing.components import adding

    value = {"type": given.type, **{name: one for name, one in given.options.items() if name != "type"}}
    edit = adding(
        given.kind,
        given.name,
        value,
        agent.editor.desk().plugins,
        file=given.file,
        before=given.before,
        defaults=given.keep_defaults,
    )
    return await edited(agent, given, edit, f"add {given.kind}.{given.name}")


async def _edit(agent: Operations, given: EditGiven) -> Applied:
    from yaat_core.config.editing.components import changing

    edit = changing(
        given.kind,
        given.name,
        agent.editor.desk().plugins,
        set=given.set,
        unset=given.unset,
        value=given.value,
        rename=given.rename,
    )
    return await edited(agent, given, edit, f"change {given.kind}.{given.name}")


async def _remove(agent: Operations, given: RemoveGiven) -> Applied:
    from yaat_core.config.editing.components import removing

    edit = removing(given.kind, given.name, agent.editor.desk().plugins)
    return await edited(agent, given, edit, f"remove {given.kind}.{given.name}")


async def _test(agent: Operations, given: TestGiven) -> Tested:
    from yaat_core import identity
    from yaat_core.config.editing.components import placing
    from yaat_core.sampling import sample

    desk = agent.editor.desk()

    def load() -> tuple[Any, bytes]:
        edit = placing(given.kind, given.name, given.value, desk.plugins) if given.value is not None else None
        return desk.trial(edit), identity.known(desk.state_dir) or bytes(16)

    whole, agent_id = await trio.to_thread.run_sync(load)
    return await sample(
        whole,
        given.kind,
        given.name,
        agent_id,
        lines=given.lines,
        seconds=given.seconds,
        source=given.source,
    )


class _Changes(Protocol):
    """What the arguments of every change have."""

    @property
    def hash(self) -> str | None: ...
    @property
    def dry_run(self) -> bool: ...
    @property
    def confirm_seconds(self) -> float | None: ...


async def edited(agent: Operations, given: _Changes, edit: Any, summary: str) -> Applied:
    """Make an edit as the arguments say: dry, of a file that is still the same, to be taken back by itself."""
    from yaat_core.config.editing.desk import unchanged

    work = partial(
        agent.editor.edit,
        unchanged(edit, given.hash),
        summary=summary,
        dry_run=given.dry_run,
        confirm_seconds=given.confirm_seconds,
    )
    return await work()


COMPONENTS_LIST: Final = Action(
    name="components.list",
    command="sources list",
    summary="Sources, processors and sinks: as configured, and how they are.",
    danger="read",
    arguments=ListGiven,
    result=Components,
    handler=_list,
)
COMPONENTS_GET: Final = Action(
    name="components.get",
    command="sources edit",
    summary="One component as it is written, secrets and all.",
    danger="private",
    arguments=GetGiven,
    result=ComponentValue,
    handler=_get,
)
COMPONENTS_TYPES: Final = Action(
    name="components.types",
    command="plugins show",
    summary="Component types with their options.",
    danger="read",
    arguments=TypesGiven,
    result=Types,
    handler=_types,
)
COMPONENTS_ADD: Final = Action(
    name="components.add",
    command="sources add",
    summary="Add a source, a processor or a sink to the configuration.",
    danger="change",
    arguments=AddGiven,
    result=Applied,
    handler=_add,
)
COMPONENTS_EDIT: Final = Action(
    name="components.edit",
    command="sources edit",
    summary="Change a source, a processor or a sink.",
    danger="change",
    arguments=EditGiven,
    result=Applied,
    handler=_edit,
)
COMPONENTS_REMOVE: Final = Action(
    name="components.remove",
    command="sources remove",
    summary="Take a source, a processor or a sink out of the configuration.",
    danger="change",
    arguments=RemoveGiven,
    result=Applied,
    handler=_remove,
)

COMPONENTS_TEST: Final = Action(
    name="components.test",
    command="sources test",
    summary="Try a component, written or not: sample lines of a source through the pipeline, the check of a sink.",
    danger="private",
    arguments=TestGiven,
    result=Tested,
    handler=_test,
)

COMPONENT_ACTIONS: Final = (
    COMPONENTS_LIST,
    COMPONENTS_GET,
    COMPONENTS_TYPES,
    COMPONENTS_ADD,
    COMPONENTS_EDIT,
    COMPONENTS_REMOVE,
    COMPONENTS_TEST,
)
