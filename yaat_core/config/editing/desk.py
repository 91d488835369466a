"""The desk at which a configuration is edited: looks at its files, checks a text, writes it, takes it back.

Everything here may read and write files: from an event loop it is called in a worker thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core import config
from yaat_core.config.editing.diffing import unified
from yaat_core.config.editing.files import ConfigFile, ConfigFiles, hash_of
from yaat_core.config.editing.history import FileChange, History, Version
from yaat_core.config.editing.meaning import changes_between
from yaat_core.config.editing.results import (
    Applied,
    Checked,
    ConfigHistory,
    ConfigText,
    FileInfo,
    VersionShown,
)
from yaat_core.config.editing.saving import ChangedMeanwhile, changed_meanwhile, save, writable
from yaat_core.config.model import Configuration
from yaat_core.config.problems import ConfigError, ConfigProblem
from yaat_core.config.text import shown_name
from yaat_core.errors import UsageError
from yaat_core.plugins import Plugins

Edit = Callable[[ConfigFiles], tuple[ConfigFile, str]]
"""From the files as they are to the one that changes, and its new text."""

_DIFFS: Final = 20


def unchanged(edit: Edit, hash: str | None) -> Edit:
    """The edit, if the file that it is about has this hash; None: whatever it has."""

    def checked(files: ConfigFiles) -> tuple[ConfigFile, str]:
        found, text = edit(files)
        if hash is not None and found.hash != hash:
            raise changed_meanwhile(found.path)
        return found, text

    return checked


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


@attrs.frozen(kw_only=True)
class Desk:
    """One configuration. ``path`` is its main file, which need not be there yet."""

    path: Path = attrs.field(converter=_absolute)
    state_dir: Path
    plugins: Plugins
    environ: Mapping[str, str] = attrs.field(factory=lambda: os.environ, repr=False)

    @property
    def history(self) -> History:
        """What was changed before."""
        return History(self.state_dir)

    # --- looking

    def text(self, file: str | None = None) -> ConfigText:
        """A file as it lies there (None: the main one).

        Raises:
            ConfigError: it can't be read as text.
            UsageError: it is no file of this configuration.
        """
        files = ConfigFiles.read(self.path)
        found = files.of(Path(file) if file else None)
        return ConfigText(
            path=str(found.path),
            text=found.text,
            hash=found.hash,
            writable=writable(found.path),
            exists=found.data is not None,
            files=[
                FileInfo(
                    path=str(one.path), hash=one.hash, writable=writable(one.path), main=one is files.main
                )
                for one in files.files
            ],
        )

    def check(self, text: str, file: str | None = None) -> Checked:
        """What is wrong with a text, and what it would change, with nothing written."""
        files = ConfigFiles.read(self.path)
        found = files.of(Path(file) if file else None)
        problems, warnings = self.problems({found.path: text})
        return Checked(
            ok=not problems,
            path=str(found.path),
            problems=problems,
            warnings=warnings,
            diff=self._diff(found, text),
            changes=changes_between(found.text, text),
        )

    def problems(self, texts: Mapping[Path, str]) -> tuple[Sequence[ConfigProblem], Sequence[ConfigProblem]]:
        """Errors and warnings of the configuration with these texts in place of files."""
        try:
            loaded = self.load(texts)
        except ConfigError as error:
            return error.problems, ()
        return (), loaded.warnings

    def load(self, texts: Mapping[Path, str] | None = None) -> Configuration:
        """The configuration as it lies there, with these texts in place of files.

        Raises:
            ConfigError: what is wrong with it.
        """
        texts = {path: text.replace("\r\n", "\n") for path, text in (texts or {}).items()}
        there = self.path if self.path.exists() or self.path in texts else None
        return config.load(there, self.plugins, environ=self.environ, texts=texts)

    def trial(self, edit: Edit | None = None) -> Configuration:
        """The configuration with an edit that is not written.

        Raises:
            ConfigError: what is wrong with it.
        """
        if edit is None:
            return self.load()
        file, text = edit(ConfigFiles.read(self.path))
        return self.load({file.path: text})

    def versions(self) -> ConfigHistory:
        """What was changed, newest first; with diffs of the last ones."""
        history = self.history
        versions = list(history.versions())[::-1]
        pending = history.pending()
        shown = [
            VersionShown(
                version=one,
                diff=self._diff_of(one) if place < _DIFFS else "",
                current=not one.undone and self._is(one.files, "after"),
            )
            for place, one in enumerate(versions)
        ]
        undo = next((one for one in versions if not one.undone), None)
        redo = next((one for one in versions[::-1] if one.undone), None)
        return ConfigHistory(
            versions=shown,
            undo=undo.number if undo else None,
            redo=redo.number if redo else None,
            pending=pending.number if pending else None,
        )

    # --- changing

    def apply(
        self, text: str, hash: str, file: str | None = None, *, summary: str = "edited", dry_run: bool = False
    ) -> Applied:
        """Write a text in place of the file that had ``hash`` when it was edited.

        Raises:
            ConfigError: the configuration would not be valid; nothing was written.
            ChangedMeanwhile: the file is another by now.
            CannotWrite: this process may not write it.
        """

        def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
            found = files.of(Path(file) if file else None)
            return found, text

        return self.edit(unchanged(edit, hash), summary=summary, dry_run=dry_run)

    def edit(self, edit: Edit, *, summary: str, dry_run: bool = False) -> Applied:
        """Make an edit of the files as they are now; raises as `apply`."""
        if dry_run:
            return self._written(edit, summary, dry_run=True)
        with self.history.changing():
            return self._written(edit, summary, dry_run=False)

    def undo(self, number: int | None = None, *, dry_run: bool = False) -> Applied:
        """Take the last change back; ``number``: bring back the files as they were before that version, as a new change.

        ``dry_run``: what it would do.

        Raises:
            UsageError: there is nothing to take back.
            ChangedMeanwhile: a file was changed since by other means.
            ConfigError, CannotWrite: as `apply`.
        """
        with self._at_work(dry_run=dry_run):
            if number is not None:
                return self._restored(self.history.find(number), dry_run=dry_run)
            for version in reversed(self.history.versions()):
                if version.undone:
                    continue
                if self._is(version.files, "before") and not self._is(version.files, "after"):
                    continue  # noted, and never made: the process was killed
                return self._moved(version, undone=True, dry_run=dry_run)
        raise UsageError(
            "there is no change to take back", fix="`yaat config history` shows what was changed"
        )

    def redo(self, *, dry_run: bool = False) -> Applied:
        """Do again what was taken back last; raises as `undo`."""
        with self._at_work(dry_run=dry_run):
            for version in self.history.versions():
                if version.undone:
                    return self._moved(version, undone=False, dry_run=dry_run)
        raise UsageError("nothing was taken back", fix="`yaat config history` shows what was changed")

    # --- pieces

    def _at_work(self, *, dry_run: bool) -> AbstractContextManager[None]:
        return nullcontext() if dry_run else self.history.changing()

    def _written(self, edit: Edit, summary: str, *, dry_run: bool) -> Applied:
        file, text = edit(ConfigFiles.read(self.path))
        problems, warnings = self.problems({file.path: text})
        if problems:
            raise ConfigError(problems)
        data = file.bytes_of(text)
        done = Applied(
            version=None,
            path=str(file.path),
            diff=self._diff(file, text),
            hash=file.hash,
            changes=changes_between(file.text, text),
            warnings=warnings,
        )
        if dry_run or (data == file.data) or (file.data is None and not data):
            return done
        version = self.history.add(summary, [(file.path, file.data, data)])
        try:
            save(file.path, data, before=file.hash)
        except BaseException:
            self.history.drop(version.number)
            raise
        return attrs.evolve(done, version=version.number, hash=hash_of(data))

    def _moved(self, version: Version, *, undone: bool, dry_run: bool) -> Applied:
        """Each file of a version from what it became to what it was, or the other way."""
        done = self._put(
            [(one, self.history.data(one.before if undone else one.after)) for one in version.files],
            "after" if undone else "before",
            dry_run=dry_run,
        )
        if dry_run:
            return done
        self.history.mark(version.number, undone=undone)
        return attrs.evolve(done, version=version.number)

    def _restored(self, version: Version, *, dry_run: bool) -> Applied:
        changed = [
            (path, ConfigFile.read(path).data, self.history.data(one.before))
            for one in version.files
            for path in [Path(one.path)]
        ]
        if all(before == after for _, before, after in changed):
            raise UsageError(f"the configuration is as it was before version {version.number} already")
        if dry_run:
            changes = [
                (FileChange(path=str(path), before=_hash(before), after=_hash(after)), after)
                for path, before, after in changed
            ]
            return self._put(changes, "before", dry_run=True)
        made = self.history.add(f"as before version {version.number}", changed)
        try:
            done = self._put([(one, self.history.data(one.after)) for one in made.files], "before")
        except BaseException:
            self.history.drop(made.number)
            raise
        return attrs.evolve(done, version=made.number)

    def _put(
        self, files: Sequence[tuple[FileChange, bytes | None]], side: str, *, dry_run: bool = False
    ) -> Applied:
        """Write files whose bytes are those of ``side`` of their change."""
        texts = {Path(one.path): (data or b"").decode("utf-8-sig", "replace") for one, data in files}
        problems, warnings = self.problems(texts)
        diffs: list[str] = []
        changes: list[Any] = []
        for one, _ in files:
            there = ConfigFile.read(Path(one.path))
            if there.hash != getattr(one, side):
                raise ChangedMeanwhile(
                    f"{one.path} was changed since by other means",
                    where=one.path,
                    effect="nothing was written",
                    fix="`yaat config history` shows the versions; `yaat config undo --to N` brings one back all the same",
                )
            diffs.append(self._diff(there, texts[there.path]))
            changes += changes_between(there.text, texts[there.path])
        for one, data in () if dry_run else files:
            save(Path(one.path), data, before=getattr(one, side))
        notes = [f"what is written now is not valid: {problems[0].what}"] if problems else []
        return Applied(
            version=None,
            path=files[0][0].path,
            diff="".join(diffs),
            hash=_hash(files[0][1]),
            changes=changes,
            warnings=warnings,
            notes=notes,
        )

    def _is(self, files: Sequence[FileChange], side: str) -> bool:
        try:
            return all(ConfigFile.read(Path(one.path)).hash == getattr(one, side) for one in files)
        except ConfigError:
            return False

    def _diff(self, file: ConfigFile, text: str) -> str:
        return unified(file.text, text, shown_name(file.path), self.plugins.registry)

    def _diff_of(self, version: Version) -> str:
        texts = []
        for one in version.files:
            before, after = (self.history.data(hash) or b"" for hash in (one.before, one.after))
            texts.append(
                unified(
                    before.decode("utf-8-sig", "replace"),
                    after.decode("utf-8-sig", "replace"),
                    shown_name(Path(one.path)),
                    self.plugins.registry,
                )
            )
        return "".join(texts)


def _hash(data: bytes | None) -> str:
    return "" if data is None else hash_of(data)
