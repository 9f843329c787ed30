"""Reading checkpoints without running code that they carry.

A checkpoint is a pickle, and a pickle can call functions and set the state of
objects. Three things stand between a file and the process:

1. the archive is whole: every entry has the checksum that it was written
   with, none is compressed;
2. :class:`~rtseg_plugin.utils.pickle_walk.PickleWalk` follows the pickle
   without executing it: only the names in :data:`RULES` occur, each called
   and built with what its own class would have written, and the whole takes
   no more memory than twice the file's size (and 32 MiB);
3. ``torch.load(weights_only=True)`` makes the objects, with the few classes
   that mmengine's checkpoints need among its safe globals.
"""
import os
import os.path as osp
import re
import struct
import threading
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import (
    IO,
    Any,
    Callable,
    Iterator,
    List,
    Optional,
    Set,
    Tuple,
    Union,
)

import torch
from mmengine.dist import barrier, get_local_rank
from mmengine.fileio import get_file_backend

from .checkpoint_rules import RULES, safe_globals, storage_item
from .packaged_weights import SCHEME, load_from_package
from .pickle_walk import PickleWalk, Storage, UnsafeCheckpointError, refuse

MapLocation = Optional[Union[str, torch.device, Callable, dict]]

_SPARE_BYTES = 32 * 2**20
_DIRECTORY_BYTES = 4 * 2**20  # of some 50,000 tensors
_ZIP_START = b'PK\x03\x04'
_LEGACY_MAGIC = 0x1950a86a20f9469cfc6c
# torch's safe globals belong to the process: one load at a time changes them
_LOAD_LOCK = threading.Lock()


def memory_budget(size: int) -> int:
    """Bytes that a file may take while it is read.

    Args:
        size (int): Its size in bytes.

    Returns:
        int: Twice as much, and what even a small file costs.
    """
    return 2 * size + _SPARE_BYTES


def _check_zip_end(file: IO[bytes], size: int) -> None:
    """Raise unless every reader finds the same directory of the archive."""
    file.seek(max(0, size - 98))
    tail = file.read().rjust(98, b'\0')
    directory, end = struct.unpack('<2L', tail[88:96]), size - 22
    if tail[56:60] == b'PK\x06\x07':  # 64 bits wide, as torch writes it
        directory, end = struct.unpack('<2Q', tail[40:56]), size - 98
        if struct.unpack('<Q', tail[64:72])[0] != end:
            refuse('it is a zip archive with two directories')
    if tail[76:80] != b'PK\x05\x06' or sum(directory) != end:
        raise zipfile.BadZipFile('its directory is not at its end')
    if directory[0] > _DIRECTORY_BYTES + size // 16:
        refuse(f'its directory of {directory[0]} bytes lists more entries '
               'than there can be tensors')


def _entries(file: IO[bytes], size: int) -> List[zipfile.ZipInfo]:
    """The entries of an archive of ``torch.save``."""
    _check_zip_end(file, size)
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    if len({entry.filename.lower() for entry in entries}) < len(entries):
        refuse('two of its entries have one name')
    if any(entry.filename.endswith('/constants.pkl') for entry in entries):
        refuse('it is a TorchScript archive, which carries code; a '
               'checkpoint of weights is needed here')
    if (sum(entry.file_size for entry in entries) > size
            or any(entry.compress_type for entry in entries)):
        refuse('its entries are larger than the file: it was compressed, '
               'or made to fill the memory')
    return entries


def _check_zip(file: IO[bytes], size: int,
               entries: List[zipfile.ZipInfo]) -> Set[str]:
    """The names in a file of torch 1.6 and later, once it was looked at."""
    folder = entries[0].filename.split('/')[0] + '/'
    sizes = {
        entry.filename.removeprefix(folder): entry.file_size
        for entry in entries
    }
    seen = set()

    def storage(identity: tuple) -> Storage:
        kind, key, numel = _storage_parts(identity, 5)
        nbytes = numel * storage_item(kind)
        walk.charge(0 if key in seen else nbytes)
        seen.add(key)
        if sizes.get(f'data/{key}', -1) != nbytes:
            refuse(f'its entry data/{key} is not of the {nbytes} bytes that '
                   'the tensor needs')
        return Storage(identity, nbytes)

    file.seek(0)
    # torch's own reader, so that what is looked at is what is loaded
    content = torch._C.PyTorchFileReader(file).get_record('data.pkl')
    walk = PickleWalk(RULES, memory_budget(size), storage)
    walk.follow(content)
    return walk.names


def _check_sums(path: str, entries: List[zipfile.ZipInfo]) -> None:
    """Raise if an entry of a zip is not as it was written."""
    with mapped(path) as content, memoryview(content) as view:
        for entry in entries:
            # behind the local header: its fixed part, a name, extra fields
            at = entry.header_offset
            at += 30 + sum(struct.unpack_from('<2H', view, at + 26))
            with view[at:at + entry.file_size] as part:
                found = zlib.crc32(part)
            if found != entry.CRC:
                raise zipfile.BadZipFile(
                    f'the entry {entry.filename!r} has another checksum than '
                    'when it was written')


@contextmanager
def mapped(path: str) -> Iterator[mmap]:
    with open(path, 'rb') as file, mmap(
            file.fileno(), 0, access=ACCESS_READ) as content:
        yield content


def _check_legacy(path: str, size: int) -> Set[str]:
    """The names in a file of before torch 1.6, once it was looked at."""
    nbytes = {}

    def storage(identity: tuple) -> Storage:
        kind, key, numel = _storage_parts(identity, 6)
        if identity[5] is not None:
            refuse('its tensors share memory as in torch 0.3: read it with '
                   'that and save it again')
        if key not in nbytes:
            nbytes[key] = numel * storage_item(kind)
            walk.charge(nbytes[key])
        if nbytes[key] != numel * storage_item(kind):
            refuse('one of its tensors has two sizes')
        return Storage(identity, nbytes[key])

    walk = PickleWalk(RULES, memory_budget(size), storage)
    with mapped(path) as content:
        magic, at = walk.follow(content)
        if magic != _LEGACY_MAGIC:
            raise ValueError('it is a pickle, but none of torch.save')
        for _ in ('protocol', 'system', 'content'):
            _, at = walk.follow(content, at)
        keys, at = walk.follow(content, at)
    if sorted(keys) != sorted(nbytes):
        refuse('its tensors are not those of its table')
    left = sum(nbytes.values()) + 8 * len(nbytes)
    if size - at != left:
        raise EOFError(f'{left} bytes of tensors are expected after byte '
                       f'{at}, there are {size - at}')
    return walk.names


def _storage_parts(identity: tuple, length: int) -> tuple:
    """('storage', class, key, place, numel, ...) -> class, key, numel."""
    if (len(identity) != length or identity[0] != 'storage'
            or not isinstance(identity[2], str)
            or not isinstance(identity[3], str)
            or type(identity[4]) is not int or identity[4] < 0):
        refuse('it refers to memory as no torch.save does')
    return identity[1], identity[2], identity[4]


def _load_weights_only(file: IO[bytes], names: Set[str],
                       map_location: MapLocation) -> Any:
    with _LOAD_LOCK:
        known = set(torch.serialization.get_safe_globals())
        with torch.serialization.safe_globals(
            [new for new in safe_globals(names) if new not in known]):
            return torch.load(
                file, map_location=map_location, weights_only=True)


def safe_torch_load(path: str, map_location: MapLocation = 'cpu') -> Any:
    """Load a file that ``torch.save`` wrote, refusing any code in it.

    Args:
        path (str): A local file, in torch's zip or legacy format.
        map_location (str | torch.device | Callable | dict, optional): As for
            ``torch.load``. Defaults to 'cpu'.

    Returns:
        Any: What was saved; ``Config``, ``ConfigDict`` and ``defaultdict``
        come as a dict, ``deque`` as a list.

    Raises:
        FileNotFoundError: If there is no such file.
        UnsafeCheckpointError: If the file names a function or class that no
            checkpoint needs, uses one as no checkpoint does, or would take
            more than twice its size in memory. Nothing of it has run then.
        RuntimeError: If the file is empty, cut off, damaged or no checkpoint.
    """
    path = osp.expanduser(os.fspath(path))
    with _inspected(path) as (file, names):
        return _load_weights_only(file, names, map_location)


def check_checkpoint(path: str) -> None:
    """Look whether a file can be loaded, without loading it.

    Args:
        path (str): As of :func:`safe_torch_load`.

    Raises:
        FileNotFoundError, UnsafeCheckpointError, RuntimeError: As there.
    """
    with _inspected(osp.expanduser(os.fspath(path))):
        pass


@contextmanager
def _inspected(path: str) -> Iterator[Tuple[IO[bytes], Set[str]]]:
    """Open a file that may be loaded, and tell the names in its pickle.

    Whatever goes wrong, here and where it is used, names the file.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    size = osp.getsize(path)
    if size == 0:
        raise RuntimeError(f'checkpoint {path} is empty (0 bytes): it was not '
                           'written or downloaded completely')
    try:
        with open(path, 'rb') as file, ThreadPoolExecutor(1) as pool:
            whole = None
            if file.read(4) == _ZIP_START:
                entries = _entries(file, size)
                # beside the rest, since it takes about as long
                whole = pool.submit(_check_sums, path, entries)
            try:
                if whole is None:
                    names = _check_legacy(path, size)
                else:
                    names = _check_zip(file, size, entries)
                file.seek(0)
                yield file, names
            finally:
                if whole is not None:  # its error tells more than others
                    whole.result()
    except UnsafeCheckpointError as error:
        raise UnsafeCheckpointError(f'{path}: {error}') from None
    except Exception as error:  # a damaged file can raise anything
        raise RuntimeError(
            f'checkpoint {path} ({size} bytes) cannot be read; '
            'it is cut off, damaged or no PyTorch checkpoint: '
            f'{type(error).__name__}: {error}') from error


def load_from_local(filename: str, map_location: MapLocation = None) -> Any:
    """Loader of local files for mmengine's ``CheckpointLoader``."""
    return safe_torch_load(filename, map_location)


def load_from_http(filename: str, map_location: MapLocation = None) -> Any:
    """Loader of URLs for mmengine's ``CheckpointLoader``.

    Downloads into torch's hub folder, on the first process of each machine,
    to a temporary name. Where the name ends with the start of the file's
    SHA256, as ``net-1a2b3c4d.pth`` does, that is checked.
    """
    folder = osp.join(torch.hub.get_dir(), 'checkpoints')
    path = osp.join(folder, osp.basename(filename.split('?')[0]))
    if get_local_rank() == 0 and not osp.isfile(path):
        os.makedirs(folder, exist_ok=True)
        # eight digits that could be a date are none
        digest = re.search(r'-(?!20\d{6}\.)([0-9a-f]{8,64})\.\w+$', path)
        torch.hub.download_url_to_file(
            filename, path, hash_prefix=digest[1] if digest else None)
    barrier()
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


def _load_fetched(name: str, fetch: Callable[[str], None],
                  map_location: MapLocation) -> Any:
    with TemporaryDirectory() as folder:
        path = osp.join(folder, osp.basename(name))
        fetch(path)
        return safe_torch_load(path, map_location)


def load_from_pavi(filename: str, map_location: MapLocation = None) -> Any:
    """Loader of ``pavi://NAME`` for ``CheckpointLoader``."""
    from pavi import modelcloud
    model = modelcloud.get(filename.split('://', 1)[1])
    return _load_fetched(model.name, model.download, map_location)


def load_from_ceph(filename: str,
                   map_location: MapLocation = None,
                   backend: str = 'petrel') -> Any:
    """Loader of ``s3://`` and ``petrel://`` for ``CheckpointLoader``."""
    store = get_file_backend(filename, backend_args={'backend': backend})
    return _load_fetched(
        filename, lambda path: Path(path).write_bytes(store.get(filename)),
        map_location)


SAFE_LOADERS = {
    '': load_from_local,
    'http://': load_from_http,
    'https://': load_from_http,
    'modelzoo://': load_from_torchvision,
    'torchvision://': load_from_torchvision,
    'open-mmlab://': load_from_openmmlab,
    'openmmlab://': load_from_openmmlab,
    'mmcls://': load_from_mmcls,
    'pavi://': load_from_pavi,
    r'(\S+\:)?s3://': load_from_ceph,
    r'(\S+\:)?petrel://': load_from_ceph,
    SCHEME: load_from_package,
}
