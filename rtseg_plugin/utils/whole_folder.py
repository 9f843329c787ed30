"""Folders that are complete or absent."""
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Write a folder beside its place, and rename it at the end.

    Args:
        out (Path): What it is to be; must not exist. Its parents are made.

    Yields:
        Path: The folder to write to. After an error nothing is left of it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f'.{out.name}.', dir=out.parent))
    try:
        yield work
        work.chmod(0o755)  # as other folders; so far it is its owner's alone
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
