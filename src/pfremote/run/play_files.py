"""The files of variables that plays name in ``vars_files``: found as Ansible finds them, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pfremote.errors import UsageError
from pfremote.inventory.graph import Variables
from pfremote.inventory.reader import read_text
from pfremote.inventory.vars_files import read_variables
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys
from pfremote.paths import is_file
from pfremote.playbook import PlaySource, Values


@dataclass(frozen=True)
class PlayFiles:
    """Reads them. ``folder`` is the playbook's; a name is looked for in its folder ``vars`` first."""

    folder: Path
    keys: VaultKeys = NO_KEYS
    _known: dict[Path, Variables] = field(default_factory=dict, repr=False)

    def read(self, source: PlaySource, values: Values, *, complete: bool) -> Variables:
        """Return the variables of all files of a play; later ones win. Without ``complete`` a name that is a template
        of a variable that is not known yet is passed over.

        Raises:
            ConfigError: a file is not there, or is wrong.
        """
        found = Variables()
        for number, item in enumerate(source.files):
            try:
                names = [str(values.render(str(name))) for name in (item if isinstance(item, list) else [item])]
            except UsageError as exc:
                if complete:
                    raise source.error(exc, "vars_files", number) from exc
                continue
            found.update(self._read_first(source, names, number))
        return found

    def _read_first(self, source: PlaySource, names: list[str], number: int) -> Variables:
        for name in names:
            for path in (self.folder / "vars" / name, self.folder / name):
                if is_file(path.expanduser()):
                    return self._read_once(path.expanduser())
        hint = f"A relative name is looked for in {self.folder}/vars and {self.folder}."
        missing = UsageError(f"there is no file {' or '.join(names)}", hint=hint)
        raise source.error(missing, "vars_files", number)

    def _read_once(self, path: Path) -> Variables:
        if path not in self._known:
            self._known[path] = read_variables(path, read_text(path), self.keys, [])
        return self._known[path]
