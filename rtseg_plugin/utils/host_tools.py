"""Running MMSegmentation's own scripts, and finding configs by name."""
import os.path as osp
import re
import runpy
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path
from typing import Dict, List, Optional, Union

import mmseg
import torch
from mmengine.config import Config

import rtseg_plugin  # isort: skip
from mmseg.datasets import BaseSegDataset  # isort: skip

from .packaged_weights import packaged_networks

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
        name (str): A path, a file name with or without ``.py``, or the name
            of a trained network that the package brings.

    Returns:
        str: An existing path.

    Raises:
        FileNotFoundError: If there is neither; lists similar names.
    """
    packaged = packaged_networks()
    if name in packaged:
        return str(packaged[name].config)
    if osp.exists(name):
        return name
    names = config_names()
    base = osp.basename(name)
    base = base if base.endswith('.py') else f'{base}.py'
    if base in names:
        return str(names[base])
    near = get_close_matches(base, [*names, *packaged], n=3, cutoff=0.4)
    raise FileNotFoundError(
        f'config {name!r} is no file and no recipe of rtseg_plugin; similar '
        f'recipes: {", ".join(near) or "none"}')


def load_config(name: Union[str, Path],
                options: Optional[dict] = None) -> Config:
    """Read a config.

    Args:
        name (str | Path): See :func:`resolve_config`.
        options (dict, optional): Overrides, as of ``--cfg-options``.

    Returns:
        Config: With the overrides.

    Raises:
        FileNotFoundError: If there is no such config.
    """
    config = Config.fromfile(resolve_config(str(name)))
    config.merge_from_dict(options or {})
    return config


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


def prepare_gloo(argv: List[str]) -> List[str]:
    """Let ``--launcher pytorch`` work where torch has no GPU.

    mmengine would set a CUDA device and wrap the model for one. It leaves a
    process group alone that is there already, and a wrapper that is named.

    Args:
        argv (list[str]): Arguments of the host's train.py or test.py.

    Returns:
        list[str]: The same, with the wrapper if it is needed.
    """
    values = {}
    for name, value in zip(argv, [*argv[1:], '']):
        name, _, inline = name.partition('=')
        values[name] = inline or value
    if values.get('--launcher') != 'pytorch' or torch.cuda.is_available():
        return argv
    torch.distributed.init_process_group('gloo')
    option = 'model_wrapper_cfg.type=GlooDataParallel'
    if '--cfg-options' not in argv:
        return [*argv, '--cfg-options', option]
    at = argv.index('--cfg-options') + 1
    return [*argv[:at], option, *argv[at:]]


def cause_of(error: BaseException) -> str:
    """One line for the end of a log: what went wrong, and where to look.

    Args:
        error (BaseException): As it was caught.

    Returns:
        str: Its type and message; of an empty data set, its key and folder.
    """
    cause = f'{type(error).__name__}: {error}'
    if 'need at least one array to concatenate' not in cause:
        return cause
    key, dataset = 'a data set', None
    link: Optional[BaseException] = error
    while link is not None:
        for frame, _ in traceback.walk_tb(link.__traceback__):
            loop = re.fullmatch('build_(train|val|test)_loop',
                                frame.f_code.co_name)
            if loop:
                key = f'{loop[1]}_dataloader.dataset'
            if isinstance(frame.f_locals.get('self'), BaseSegDataset):
                dataset = frame.f_locals['self']
        link = link.__context__
    if dataset is None:
        return cause
    return (f'{key} is empty: there is no image *{dataset.img_suffix} under '
            f'{dataset.data_prefix["img_path"]}. Set data_root, data_prefix '
            f'and img_suffix of {key}'
            + (f', or mend {dataset.ann_file}' if dataset.ann_file else ''))


def run_host_tool(script: str, takes_config: bool = True) -> None:
    """Run a script of MMSegmentation's ``tools`` with our modules known.

    The package is imported before the script, which on mmcv-lite makes
    ``mmseg.models`` importable at all. What makes it fail is said again in
    the last line, behind the traceback.

    Args:
        script (str): Path below ``tools``, such as 'train.py'.
        takes_config (bool): Whether the first argument is a config, which
            may then be a bare name. Defaults to True.
    """
    path = host_tool(script)
    if takes_config:
        sys.argv[1:] = resolve_config_in(sys.argv[1:])
        sys.argv[1:] = prepare_gloo(sys.argv[1:])
    try:
        runpy.run_path(str(path), run_name='__main__')
    except Exception as error:
        traceback.print_exc()
        sys.exit(f'error: {cause_of(error)}')
