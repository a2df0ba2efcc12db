"""What stands at a path, as far as it can be seen.

``Path.exists`` and its like raise PermissionError below a folder that is closed to us (before Python 3.14). Nothing can
be seen there; what opens the file says why.
"""

from __future__ import annotations

import os

StrPath = str | os.PathLike[str]


def exists(path: StrPath) -> bool:
    """Tell whether something is seen at ``path``."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_file(path: StrPath) -> bool:
    """Tell whether a plain file is seen at ``path``."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: StrPath) -> bool:
    """Tell whether a folder is seen at ``path``."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def explain_unseen(path: StrPath) -> str:
    """Return why nothing is seen at ``path``, in the system's words; empty where nothing is there."""
    try:
        os.stat(path)  # noqa: PTH116 - any kind of path
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as exc:
        return exc.strerror or str(exc)
    return ""
