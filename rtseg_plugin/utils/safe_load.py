"""Reading checkpoints without running code that they carry.

A checkpoint is a pickle, and a pickle can call any function. Since torch 2.6
``torch.load`` refuses everything but tensors by default, which also refuses
each checkpoint that mmengine writes: its message hub holds ``HistoryBuffer``
objects. Here is an unpickler with an allow-list that covers tensors, numpy
arrays and ``HistoryBuffer``, and nothing that can call something else.
"""
import os
import os.path as osp
import pickle
import zipfile
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.logging import HistoryBuffer

MapLocation = Optional[Union[str, torch.device, Callable, dict]]

try:  # numpy >= 2
    from numpy._core.multiarray import _reconstruct, scalar
except ImportError:
    from numpy.core.multiarray import _reconstruct, scalar

_HISTORY_BUFFER_METHODS = ('current', 'max', 'mean', 'min')


def _history_buffer_method(obj: Any, name: str) -> Callable:
    """Serve what HistoryBuffer's pickle asks of ``getattr``, no more."""
    if obj is not HistoryBuffer or name not in _HISTORY_BUFFER_METHODS:
        raise pickle.UnpicklingError(
            f'getattr({obj!r}, {name!r}) is not among the four methods of '
            'HistoryBuffer that a checkpoint may name')
    return getattr(HistoryBuffer, name)


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """``_codecs.encode`` as protocol 2 uses it to store bytes."""
    if encoding not in ('latin1', 'utf-8', 'ascii'):
        raise pickle.UnpicklingError(f'encoding {encoding!r} is not allowed')
    return text.encode(encoding)


NUMPY_GLOBALS: Dict[Tuple[str, str], Any] = {
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    # numpy 1 and numpy 2 spell the module differently; serve both anywhere
    ('numpy.core.multiarray', '_reconstruct'): _reconstruct,
    ('numpy._core.multiarray', '_reconstruct'): _reconstruct,
    ('_codecs', 'encode'): _encode,
}
_ALLOWED: Dict[Tuple[str, str], Any] = {
    **NUMPY_GLOBALS,
    ('numpy.core.multiarray', 'scalar'): scalar,
    ('numpy._core.multiarray', 'scalar'): scalar,
    ('collections', 'OrderedDict'): OrderedDict,
    ('builtins', 'set'): set,
    ('__builtin__', 'set'): set,
    ('builtins', 'slice'): slice,
    ('builtins', 'complex'): complex,
    ('builtins', 'bytearray'): bytearray,
    ('builtins', 'getattr'): _history_buffer_method,
    ('__builtin__', 'getattr'): _history_buffer_method,
    ('mmengine.logging.history_buffer', 'HistoryBuffer'): HistoryBuffer,
    ('torch', 'Size'): torch.Size,
    ('torch', 'device'): torch.device,
    ('torch._utils', '_rebuild_tensor'): torch._utils._rebuild_tensor,
    ('torch._utils', '_rebuild_tensor_v2'): torch._utils._rebuild_tensor_v2,
    ('torch._utils', '_rebuild_parameter'): torch._utils._rebuild_parameter,
    ('torch.nn.parameter', 'Parameter'): torch.nn.Parameter,
    ('torch.storage', 'TypedStorage'): torch.storage.TypedStorage,
    ('torch.storage', 'UntypedStorage'): torch.storage.UntypedStorage,
    ('torch.serialization', '_get_layout'): torch.serialization._get_layout,
}
for _name in dir(np):  # dtypes and scalar types: numpy.float32, ...
    if isinstance(getattr(np, _name, None), type) and issubclass(
            getattr(np, _name), np.generic):
        _ALLOWED['numpy', _name] = getattr(np, _name)
for _name in getattr(np, 'dtypes', SimpleNamespace(__all__=())).__all__:
    _ALLOWED['numpy.dtypes', _name] = getattr(np.dtypes, _name)


class UnsafeCheckpointError(pickle.UnpicklingError):
    """A file holds something that is neither data nor a known class."""


class AllowListUnpickler(pickle.Unpickler):
    """Unpickler that resolves names from a fixed table only."""

    allowed = _ALLOWED

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self.allowed:
            return self.allowed[module, name]
        raise UnsafeCheckpointError(
            f'the file asks for {module}.{name}, which is no part of a '
            'checkpoint of weights: it may carry code and was not loaded')


class _TorchUnpickler(AllowListUnpickler):
    """Adds the names that only exist per torch build: dtypes, storages."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ('torch', 'torch.cuda'):
            found = getattr(getattr(torch, module[6:], torch), name, None)
            if isinstance(found, torch.dtype) or (
                    name.endswith('Storage') and isinstance(found, type)):
                return found
        return super().find_class(module, name)


def _load(file, **kwargs) -> Any:
    return _TorchUnpickler(file, **kwargs).load()


# What torch.load expects of a pickle module.
_safe_pickle = SimpleNamespace(
    __name__='rtseg_plugin.utils.safe_load',
    Unpickler=_TorchUnpickler,
    load=_load,
    UnpicklingError=pickle.UnpicklingError)


def safe_torch_load(path: str, map_location: MapLocation = 'cpu') -> Any:
    """Load a file that ``torch.save`` wrote, refusing any code in it.

    Args:
        path (str): A local file, in torch's zip or legacy format.
        map_location (str | torch.device | Callable | dict, optional): As for
            ``torch.load``. Defaults to 'cpu'.

    Returns:
        Any: What was saved.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafeCheckpointError: If the file names a function or class that no
            checkpoint needs. Nothing of it has run then.
        RuntimeError: If the file is empty, cut off or no checkpoint.
    """
    path = osp.expanduser(os.fspath(path))
    if not osp.isfile(path):
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    if osp.getsize(path) == 0:
        raise RuntimeError(f'checkpoint {path} is empty (0 bytes): it was not '
                           'written or downloaded completely')
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(n.endswith('constants.pkl') for n in archive.namelist()):
                raise UnsafeCheckpointError(
                    f'{path} is a TorchScript archive, which carries code; a '
                    'checkpoint of weights is needed here')
    try:
        return torch.load(
            path,
            map_location=map_location,
            pickle_module=_safe_pickle,
            weights_only=False)
    except UnsafeCheckpointError as error:
        raise UnsafeCheckpointError(f'{path}: {error}') from None
    except (pickle.UnpicklingError, OSError, RuntimeError, ValueError,
            EOFError, KeyError, AttributeError, TypeError,
            ImportError) as error:
        raise RuntimeError(
            f'checkpoint {path} ({osp.getsize(path)} bytes) cannot be read; '
            'it is cut off, damaged or no PyTorch checkpoint: '
            f'{type(error).__name__}: {error}') from error


def load_from_local(filename: str, map_location: MapLocation = None) -> Any:
    """Loader of local files for mmengine's ``CheckpointLoader``."""
    return safe_torch_load(filename, map_location)


def load_from_http(filename: str, map_location: MapLocation = None) -> Any:
    """Loader of URLs for mmengine's ``CheckpointLoader``.

    Downloads into torch's hub folder on rank 0, then reads safely.
    """
    folder = osp.join(torch.hub.get_dir(), 'checkpoints')
    path = osp.join(folder, osp.basename(filename.split('?')[0]))
    rank, world_size = get_dist_info()
    if rank == 0 and not osp.isfile(path):
        os.makedirs(folder, exist_ok=True)
        torch.hub.download_url_to_file(filename, path)
    if world_size > 1:
        torch.distributed.barrier()
    return safe_torch_load(path, map_location)


def load_from_torchvision(filename: str,
                          map_location: MapLocation = None) -> Any:
    """Loader of ``torchvision://NAME`` for ``CheckpointLoader``."""
    from mmengine.runner.checkpoint import get_torchvision_models
    name = filename.split('://', 1)[1]
    return load_from_http(get_torchvision_models()[name], map_location)


def load_from_openmmlab(filename: str,
                        map_location: MapLocation = None) -> Any:
    """Loader of ``open-mmlab://NAME`` for ``CheckpointLoader``."""
    from mmengine.runner.checkpoint import (
        _get_mmengine_home,
        get_deprecated_model_names,
        get_external_models,
    )
    name = filename.split('://', 1)[1]
    name = get_deprecated_model_names().get(name, name)
    url = get_external_models()[name]
    if url.startswith(('http://', 'https://')):
        return load_from_http(url, map_location)
    return load_from_local(osp.join(_get_mmengine_home(), url), map_location)


def load_from_mmcls(filename: str, map_location: MapLocation = None) -> Any:
    """Loader of ``mmcls://NAME`` for ``CheckpointLoader``."""
    from mmengine.runner.checkpoint import (
        _process_mmcls_checkpoint,
        get_mmcls_models,
    )
    url = get_mmcls_models()[filename.split('://', 1)[1]]
    return _process_mmcls_checkpoint(load_from_http(url, map_location))


SAFE_LOADERS = {
    '': load_from_local,
    'http://': load_from_http,
    'https://': load_from_http,
    'modelzoo://': load_from_torchvision,
    'torchvision://': load_from_torchvision,
    'open-mmlab://': load_from_openmmlab,
    'openmmlab://': load_from_openmmlab,
    'mmcls://': load_from_mmcls,
}
