"""Running MMSegmentation's own scripts, and finding configs by name."""
import os.path as osp
import runpy
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Dict, List

import mmseg

import rtseg_plugin

_PACKAGE = Path(rtseg_plugin.__file__).resolve().parent


def config_root() -> Path:
    """Folder of this package's configs: installed, or of the checkout."""
    for root in (_PACKAGE / '.mim' / 'configs', _PACKAGE.parent / 'configs'):
        if root.is_dir():
            return root
    raise FileNotFoundError(
        f'no configs beside {_PACKAGE}: rtseg_plugin is not installed '
        'completely, install it again with pip')


def config_names() -> Dict[str, Path]:
    """All recipes by file name; the names are unique."""
    return {
        path.name: path
        for path in sorted(config_root().rglob('*.py'))
        if '_base_' not in path.parts
    }


def resolve_config(name: str) -> str:
    """Path of a config given as a path or as the bare name of a recipe.

    Args:
        name (str): A path, or a file name with or without ``.py``.

    Returns:
        str: An existing path.

    Raises:
        FileNotFoundError: If there is neither; lists similar names.
    """
    if osp.exists(name):
        return name
    names = config_names()
    base = osp.basename(name)
    base = base if base.endswith('.py') else f'{base}.py'
    if base in names:
        return str(names[base])
    near = get_close_matches(base, names, n=3, cutoff=0.4)
    raise FileNotFoundError(
        f'config {name!r} is no file and no recipe of rtseg_plugin; similar '
        f'recipes: {", ".join(near) or "none"}')


def resolve_config_in(argv: List[str]) -> List[str]:
    """Resolve the first argument if it names a config by its bare name."""
    if argv and not argv[0].startswith('-') and not osp.exists(argv[0]):
        try:
            return [resolve_config(argv[0]), *argv[1:]]
        except FileNotFoundError as error:
            sys.exit(f'error: {error}')
    return argv


def host_tool(script: str) -> Path:
    """Path of a script of MMSegmentation's ``tools``; exits without it."""
    root = Path(mmseg.__file__).resolve().parent
    for path in (root / '.mim' / 'tools' / script,
                 root.parent / 'tools' / script):
        if path.is_file():
            return path
    sys.exit(f'error: the installed mmsegmentation ({root}) has no tool '
             f'{script}; install mmsegmentation 1.2.2 from a wheel')


def run_host_tool(script: str, takes_config: bool = True) -> None:
    """Run a script of MMSegmentation's ``tools`` with our modules known.

    The package is imported before the script, which on mmcv-lite makes
    ``mmseg.models`` importable at all.

    Args:
        script (str): Path below ``tools``, such as 'train.py'.
        takes_config (bool): Whether the first argument is a config, which
            may then be a bare name. Defaults to True.
    """
    path = host_tool(script)
    if takes_config:
        sys.argv[1:] = resolve_config_in(sys.argv[1:])
    runpy.run_path(str(path), run_name='__main__')
