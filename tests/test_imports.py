"""Arrows between the folders of the package point one way."""
import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'rtseg_plugin'

_SHARED = {'utils', 'models.layers'}
# the parts of one network, in a folder of its name
_ROOMS = {
    f'models.layers.{readme.parent.name}'
    for readme in (PACKAGE.parent / 'configs').glob('*/README.md')
    if (PACKAGE / 'models' / 'layers' / readme.parent.name).is_dir()
}
# What each folder may import; its own files, and files of the package's root,
# in addition. Registration, in the __init__ files, is not an arrow.
ARROWS = {
    'utils': set(),
    'utils.key_maps': {'utils'},
    'models.layers': {'utils'},
    **{room: _SHARED for room in _ROOMS},
    'models.layers.rivals': _SHARED | _ROOMS,
    'models.losses': _SHARED,
    'models.distillation': _SHARED,
    'models.inference': _SHARED,
    'models.backbones': _SHARED | _ROOMS,
    'models.necks': _SHARED | _ROOMS,
    'models.decode_heads': _SHARED | _ROOMS,
    'models.segmentors': _SHARED | {'models.distillation'},
    'models': _SHARED,
    'datasets.transforms': {'utils'},
    'datasets': {'utils', 'datasets.transforms'},
    'evaluation': {'utils'},
    'evaluation.metrics': {'utils', 'evaluation'},
    'engine': {'utils', 'engine.hooks'},
    'engine.hooks': {'utils', 'datasets.transforms'},
    'apis': _SHARED | {'models', 'models.inference'},
    'deployment': _SHARED | {'models.inference', 'apis'},
}
FOLDERS = sorted({
    '.'.join(path.parent.relative_to(PACKAGE).parts)
    for path in PACKAGE.rglob('*.py')
    if not {'.mim', 'weights'}.intersection(path.parts)
} - {''})


def imported(path):
    """Modules of the package that a file imports, as paths below it."""
    package = path.parent.relative_to(PACKAGE).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            modules = [
                n.split('.')[1:] for n in names
                if n.split('.')[0] == 'rtseg_plugin'
            ]
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or '').split('.') if node.module else []
            if node.level:
                module = [*package[:len(package) - node.level + 1], *module]
            elif module[:1] == ['rtseg_plugin']:
                module = module[1:]
            else:
                continue
            modules = [[*module, alias.name] for alias in node.names]
        else:
            continue
        for module in modules:
            # the name may be one that a module defines
            while module and not (
                    PACKAGE.joinpath(*module).is_dir()
                    or PACKAGE.joinpath(*module).with_suffix('.py').exists()):
                module = module[:-1]
            yield tuple(module)


def test_every_folder_has_its_place():
    assert set(ARROWS) == {f for f in FOLDERS if has_code(f)}
    paths = [p for p in PACKAGE.rglob('*.py') if '.mim' not in p.parts]
    assert sum(1 for path in paths for _ in imported(path)) > 100


def has_code(folder):
    return any(
        path.name != '__init__.py'
        for path in PACKAGE.joinpath(*folder.split('.')).glob('*.py'))


@pytest.mark.parametrize('folder', sorted(ARROWS))
def test_no_arrow_points_back(folder):
    allowed = ARROWS[folder] | {folder}
    for path in sorted(PACKAGE.joinpath(*folder.split('.')).glob('*.py')):
        if path.name == '__init__.py':
            continue
        for module in imported(path):
            is_file = not PACKAGE.joinpath(*module).is_dir()
            source = '.'.join(module[:-1] if is_file else module)
            assert not source or source in allowed, (
                f'{path.relative_to(PACKAGE)} imports {".".join(module)}: '
                f'{folder} may import from {sorted(allowed)}')
