"""The seam to the host: supported versions, mmcv-lite, safe loading.

This is the only module of the package that touches a foreign module, and it
does three things, each once and harmless when repeated, and none of them
imports torch or the host: what concerns a module waits until somebody else
imports it (:func:`when_imported`).

* where mmcv is installed without its compiled extension (mmcv-lite), it puts
  a stand-in ``mmcv._ext`` into ``sys.modules``, without which mmseg cannot be
  imported there;
* it registers checkpoint loaders with mmengine's public
  ``CheckpointLoader.register_scheme`` that read files through
  :mod:`rtseg_plugin.utils.safe_load`, so that checkpoints of the OpenMMLab
  family load on torch >= 2.6 and files that carry code are refused;
* it enters the package into mmengine's table of packages, so that a config
  may inherit from ``_base_ = 'rtseg_plugin::sctnet/...py'``.

``setup.py`` reads ``SUPPORTED`` from this file, so it must stay a literal.
"""
import importlib.abc
import importlib.metadata
import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec, PathFinder
from typing import Callable, Optional

# distribution: (lowest supported version, first version that is not)
SUPPORTED = {
    'mmengine': ('0.10.3', '1.0.0'),
    'mmcv': ('2.1.0', '2.2.0'),
    # 1.2.0 lacks a file of its tokenizer and cannot be imported
    'mmsegmentation': ('1.2.2', '2.0.0'),
    # the lowest that was run; before 2.10 the weights-only unpickler does not
    # check what it writes to
    'torch': ('2.13.0', '3.0.0'),
}

# Import name and the distributions that may provide it.
_PROVIDERS = {
    'mmengine': ('mmengine', 'mmengine-lite'),
    'mmcv': ('mmcv', 'mmcv-lite'),
    'mmsegmentation': ('mmsegmentation', ),
    'torch': ('torch', ),
}


def installed_version(name: str) -> str:
    """Version of a host package.

    Args:
        name (str): A key of ``SUPPORTED``.

    Returns:
        str: The installed version, of whichever distribution provides it.

    Raises:
        ImportError: If none is installed.
    """
    for distribution in _PROVIDERS[name]:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    hint = ("pip install 'rtseg_plugin[lite]' (or '[full]' for mmcv with "
            'compiled ops)' if name == 'mmcv' else
            f'pip install "{name}>={SUPPORTED[name][0]}"')
    raise ImportError(f'rtseg_plugin needs {name}, which is not installed: '
                      f'{hint}')


def check_versions() -> None:
    """Raise ImportError if a host package is outside the supported range."""
    from packaging.version import Version

    for name, (lowest, too_high) in SUPPORTED.items():
        found = installed_version(name)
        if not Version(lowest) <= Version(found) < Version(too_high):
            raise ImportError(
                f'rtseg_plugin found {name} {found}, but works with '
                f'{name} >= {lowest} and < {too_high}. Install one of these '
                f'with: pip install "{name}>={lowest},<{too_high}"')


class _AbsentExtension(types.ModuleType):
    """Stands for ``mmcv._ext``; every op in it raises when it is called."""

    def __getattr__(self, name: str) -> Callable:
        if name.startswith('__'):
            raise AttributeError(name)

        def absent_op(*args, **kwargs):
            raise RuntimeError(
                f'The op {name!r} needs the compiled extension of mmcv, but '
                'mmcv-lite is installed here. Install the full mmcv, for '
                "instance with: pip install 'rtseg_plugin[full]'")

        absent_op.__name__ = name
        return absent_op


def install_mmcv_stand_in() -> bool:
    """Make ``mmcv.ops`` importable where mmcv has no compiled extension.

    mmseg imports ``mmcv.ops`` unconditionally for one function of plain
    Python. Nothing happens where the real extension exists.

    Returns:
        bool: Whether a stand-in is in place.
    """
    loaded = sys.modules.get('mmcv._ext')
    if loaded is not None:
        return isinstance(loaded, _AbsentExtension)
    mmcv = importlib.util.find_spec('mmcv')
    # looked for without importing mmcv
    if mmcv is None or PathFinder.find_spec(
            'mmcv._ext', mmcv.submodule_search_locations) is not None:
        return False
    stand_in = _AbsentExtension('mmcv._ext')
    # importlib.util.find_spec, which mmcv and others call, wants a spec
    stand_in.__spec__ = ModuleSpec('mmcv._ext', loader=None)
    sys.modules['mmcv._ext'] = stand_in
    return True


def register_safe_loaders() -> None:
    """Let mmengine read every checkpoint through the safe loader."""
    from mmengine.runner.checkpoint import CheckpointLoader

    from .utils.safe_load import SAFE_LOADERS
    for prefix, loader in SAFE_LOADERS.items():
        CheckpointLoader.register_scheme(prefix, loader, force=True)


def register_configs() -> None:
    """Let mmengine find configs named ``rtseg_plugin::FOLDER/NAME.py``."""
    from mmengine.config.utils import MODULE2PACKAGE
    MODULE2PACKAGE.setdefault('rtseg_plugin', 'rtseg_plugin')


class _WhenImported(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Calls a function before a module is imported, and one afterwards."""

    def __init__(self, name: str, after: Callable[[], None],
                 before: Optional[Callable[[], None]]):
        self.name, self.after, self.before = name, after, before

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        if self.before is not None:
            self.before()
        spec = next(filter(None, (
            finder.find_spec(name, path, target) for finder in sys.meta_path
            if finder is not self)), None)
        if spec is not None:
            self.loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        # not before: who only asks for a module does not import it
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self.after()


def when_imported(name: str,
                  after: Callable[[], None],
                  before: Optional[Callable[[], None]] = None) -> None:
    """Call functions when a module is imported; at once if it is already.

    Args:
        name (str): Of a module, which is not imported by this.
        after (Callable): Called once, before the import returns.
        before (Callable, optional): Called when somebody asks for the module,
            also where it is not installed; what it raises stops the import.
    """
    if name in sys.modules:
        if before is not None:
            before()
        after()
    else:
        sys.meta_path.insert(0, _WhenImported(name, after, before))
