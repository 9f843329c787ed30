"""The seam to the host: supported versions, mmcv-lite, safe loading.

This is the only module of the package that touches a foreign module, and it
does two things, both once and both harmless when repeated:

* where mmcv is installed without its compiled extension (mmcv-lite), it puts
  a stand-in ``mmcv._ext`` into ``sys.modules``, without which mmseg cannot be
  imported there;
* it registers checkpoint loaders with mmengine's public
  ``CheckpointLoader.register_scheme`` that read files through
  :mod:`rtseg_plugin.utils.safe_load`, so that checkpoints of the OpenMMLab
  family load on torch >= 2.6 and files that carry code are refused.

``setup.py`` reads ``SUPPORTED`` from this file, so it must stay a literal.
"""
import importlib.metadata
import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec

from packaging.version import Version

# distribution: (lowest supported version, first version that is not)
SUPPORTED = {
    'mmengine': ('0.10.3', '1.0.0'),
    'mmcv': ('2.1.0', '2.2.0'),
    'mmsegmentation': ('1.2.0', '2.0.0'),
    'torch': ('2.4.0', '3.0.0'),
}

# Import name and the distributions that may provide it; the onedl-* ones are
# maintained forks of OpenMMLab's packages with the same import names.
_PROVIDERS = {
    'mmengine': ('mmengine', 'mmengine-lite', 'onedl-mmengine'),
    'mmcv': ('mmcv', 'mmcv-lite', 'onedl-mmcv'),
    'mmsegmentation': ('mmsegmentation', 'onedl-mmsegmentation'),
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
    for name, (lowest, too_high) in SUPPORTED.items():
        found = installed_version(name)
        if not Version(lowest) <= Version(found) < Version(too_high):
            raise ImportError(
                f'rtseg_plugin found {name} {found}, but works with '
                f'{name} >= {lowest} and < {too_high}. Install one of these '
                f'with: pip install "{name}>={lowest},<{too_high}"')


class _AbsentExtension(types.ModuleType):
    """Stands for ``mmcv._ext``; every op in it raises when it is called."""

    def __getattr__(self, name: str):
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
    if importlib.util.find_spec('mmcv._ext') is not None:
        return False
    stand_in = _AbsentExtension('mmcv._ext')
    # importlib.util.find_spec, which mmcv and others call, wants a spec
    stand_in.__spec__ = ModuleSpec('mmcv._ext', loader=None)
    sys.modules['mmcv._ext'] = stand_in
    return True


def register_safe_loaders() -> None:
    """Let mmengine read every checkpoint through the safe unpickler."""
    from mmengine.runner.checkpoint import CheckpointLoader

    from .utils.safe_load import SAFE_LOADERS
    for prefix, loader in SAFE_LOADERS.items():
        CheckpointLoader.register_scheme(prefix, loader, force=True)
