"""What a checkpoint may name, and what may be done with each name.

:data:`RULES` is for :class:`~rtseg_plugin.utils.pickle_walk.PickleWalk`, which
looks at a pickle before anything is made; :func:`safe_globals` is for torch's
weights-only unpickler, which then makes it. Whatever is no tensor, number,
text or container comes as such: a ``Config`` as a dict, a ``defaultdict`` as a
dict, a ``deque`` as a list.
"""
import argparse
import collections
import datetime
import math
import os
import pathlib
import pickle
import re
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from .pickle_walk import (
    Made,
    Name,
    Pairs,
    PickleWalk,
    Rule,
    Storage,
    integers,
    refuse,
)

try:  # numpy >= 2
    from numpy._core.multiarray import _reconstruct, scalar
except ImportError:
    from numpy.core.multiarray import _reconstruct, scalar

_HISTORY_BUFFER = 'mmengine.logging.history_buffer.HistoryBuffer'
_HISTORY_BUFFER_METHODS = ('current', 'max', 'mean', 'min')
_HISTORY_BUFFER_STATE = {
    'max_length', '_log_history', '_count_history', 'statistics_methods'
}
_BUILTINS = ('builtins', '__builtin__')  # Python 3's and protocol 2's name
_RECONSTRUCT = ('numpy.core.multiarray._reconstruct',
                'numpy._core.multiarray._reconstruct')
_SCALAR = ('numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar')
_CONFIG = 'mmengine.config.config.Config'
_NUMPY_CODES = ('b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2',
                'f4', 'f8', 'c8', 'c16', 'U1', 'S1')
# What a defaultdict may make; it comes as a dict, so that none is called.
_FACTORIES = ('dict', 'float', 'int', 'list', 'set', 'str')
# Paths of the other kind of system cannot be opened here, only named.
_FOREIGN_PATH = 'PosixPath' if os.name == 'nt' else 'WindowsPath'
_PATHS = {
    f'{module}.{name}': getattr(
        pathlib, f'Pure{name}' if name == _FOREIGN_PATH else name)
    for module in ('pathlib', 'pathlib._local')
    for name in ('PosixPath', 'PurePosixPath', 'PureWindowsPath',
                 'WindowsPath')
}


# What a call may have as arguments, and BUILD as state.


def _only(*kinds: Any) -> Callable:
    """A check of arguments by type, one of ``kinds`` each; fewer may do."""

    def check(args: tuple, walk: PickleWalk) -> None:
        if len(args) > len(kinds) or not all(map(isinstance, args, kinds)):
            refuse('it calls a function with what it never takes')

    return check


def _refused(what: str, instead: str) -> Rule:
    return Rule(lambda args, walk: refuse(
        f'it has {what}, which is not read: save {instead} in its place'))


def _nothing(args: tuple, walk: PickleWalk) -> None:
    if args:
        refuse('it calls a class with arguments that it never takes')


def as_bytes(value: Any) -> bytes:
    """Bytes, which protocol 2 stores as text and a call of ``encode``.

    Args:
        value (Any): As :class:`PickleWalk` gives it.

    Returns:
        bytes: What the pickle makes of it.

    Raises:
        UnsafeCheckpointError: If it is something else.
    """
    name = getattr(value, 'name', None)
    if name == '_codecs.encode':
        value = value.args[0]
    elif name in ('builtins.bytes', '__builtin__.bytes'):
        return b''
    if isinstance(value, str):  # Python 2's bytes as well
        return value.encode('latin1')
    if not isinstance(value, bytes):
        refuse(f'it has {name or type(value).__name__} where bytes belong')
    return value


def _byte_count(value: Any) -> int:
    return len(as_bytes(value))


def _encode_args(args: tuple, walk: PickleWalk) -> None:
    if (len(args) != 2 or not isinstance(args[0], str)
            or args[1] not in ('latin1', 'latin-1')):
        refuse('it encodes text as no pickle of bytes does')
    walk.charge(len(args[0]))


def _bytearray_args(args: tuple, walk: PickleWalk) -> None:
    if len(args) == 2 and args[1] in ('latin-1', 'latin1'):  # Python 2
        _encode_args(args, walk)
    elif len(args) == 1:
        walk.charge(_byte_count(args[0]))
    elif args:
        refuse('it makes a bytearray of what is no bytes')


def _elements(args: tuple, walk: PickleWalk) -> None:
    if args and (len(args) > 1 or not isinstance(args[0], list)):
        refuse('it makes a set of what is no list')
    for elements in args:
        walk.charge(64 * len(elements))
        walk.check_keys(elements)


def _pairs(args: tuple, walk: PickleWalk) -> None:
    """A dict, or a list of [key, value]."""
    if args and (len(args) > 1 or not isinstance(args[0], list) or any(
            not isinstance(pair, (list, tuple)) or len(pair) != 2
            for pair in args[0])):
        refuse('it makes a dict of what is no dict')
    for pairs in args:
        walk.charge(100 * len(pairs))
        walk.check_keys([key for key, _ in pairs])


def _deque_args(args: tuple, walk: PickleWalk) -> None:
    if args and args[0] != () or len(args) > 2:
        refuse('it makes a deque of what is no deque')


def _datetime_args(args: tuple, walk: PickleWalk) -> None:
    """Bytes of year (2), month, day, [hour, ...]; a time has no date."""
    if (not args or len(args) > 2 or _byte_count(args[0]) not in (4, 6, 10)
            or any(getattr(zone, 'name', '') != 'datetime.timezone'
                   for zone in args[1:])):
        refuse('it has a date that is none')
    fields = as_bytes(args[0])
    if len(fields) != 6:
        datetime.date(int.from_bytes(fields[:2], 'big'), fields[2] & 127,
                      fields[3])
    if len(fields) != 4:
        hour, minute, second = fields[-6:-3]
        datetime.time(hour & 127, minute, second,
                      int.from_bytes(fields[-3:], 'big'))


def _timezone_args(args: tuple, walk: PickleWalk) -> None:
    if getattr(args[0] if args else None, 'name', '') != 'datetime.timedelta':
        refuse('it has a time zone that is none')
    _only(str)(args[1:], walk)


def _path_args(args: tuple, walk: PickleWalk) -> None:
    _only(*[str] * len(args))(args, walk)
    walk.charge(sum(map(len, args)))


def _getattr_args(args: tuple, walk: PickleWalk) -> None:
    if (len(args) != 2 or args[0] != _HISTORY_BUFFER
            or args[1] not in _HISTORY_BUFFER_METHODS):
        refuse(f'it asks for getattr{args!r}, which is not among the four '
               'methods of HistoryBuffer that a checkpoint may name')


def _as_dict(value: Any) -> Optional[dict]:
    """Entries of a dict or OrderedDict whose keys are texts."""
    if isinstance(value, Made) and value.name == 'collections.OrderedDict':
        value = [*(value.args[0] if value.args else ()), *value.items]
    elif not isinstance(value, Pairs):
        return None
    if not all(isinstance(key, str) for key, _ in value):
        return None
    return dict(value)


def _history_state(made: Made, state: Any, walk: PickleWalk) -> None:
    entries = _as_dict(state)
    if entries is None or set(entries) != _HISTORY_BUFFER_STATE:
        refuse('it gives a HistoryBuffer what a HistoryBuffer has not')
    # they are for the class, and so for every other buffer as well
    methods = _as_dict(entries['statistics_methods'])
    if methods is None or any(
            getattr(method, 'name', '')[-7:] != 'getattr'
            or method.args[1] != name for name, method in methods.items()):
        refuse('it exchanges the methods of a HistoryBuffer')


def _metadata_only(made: Made, state: Any, walk: PickleWalk) -> None:
    """torch leaves ``_metadata`` in the OrderedDict of a state dict."""
    if set(_as_dict(state) or ('', )) != {'_metadata'}:
        refuse('it exchanges the methods of an OrderedDict')


def _attributes(made: Made, state: Any, walk: PickleWalk) -> None:
    if _as_dict(state) is None:
        refuse(f'it gives a {made.name} what are no attributes')


def _config_state(made: Made, state: Any, walk: PickleWalk) -> None:
    config = state[0] if isinstance(state, tuple) and state else None
    if not (isinstance(config, Pairs)
            or getattr(config, 'name', '').endswith('ConfigDict')):
        refuse('it has a Config without a dict')


# numpy: plain numbers and text, arrays of exactly the bytes that they need.

_DTYPE = re.compile(r'b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,6}')


def _dtype_args(args: tuple, walk: PickleWalk) -> None:
    # the last one says that it is a copy: BUILD must not change numpy's own
    if (len(args) != 3 or not isinstance(args[0], str)
            or not _DTYPE.fullmatch(args[0]) or args[1] or args[2] not in
        (1, True)):
        refuse(f'it asks for numpy.dtype{args!r}, which is neither of plain '
               'numbers nor of text')


def _plain_dtype(made: Made, state: tuple) -> np.dtype:
    return np.dtype(made.args[0]).newbyteorder(state[1])


def _dtype_state(made: Made, state: Any, walk: PickleWalk) -> None:
    if (not isinstance(state, tuple) or len(state) < 2
            or state[1] not in ('<', '>', '|')
            or state != _plain_dtype(made, state).__reduce__()[2]):
        refuse(f'it gives numpy.dtype{made.args!r} the state of another')


def _dtype(made: Any) -> np.dtype:
    if getattr(made, 'name', None) != 'numpy.dtype' or made.state is None:
        refuse('it has an array without a type')
    return _plain_dtype(made, made.state)


def _reconstruct_args(args: tuple, walk: PickleWalk) -> None:
    if (len(args) != 3 or args[0] != 'numpy.ndarray' or args[1] != (0, )
            or _byte_count(args[2]) != 1):
        refuse('it makes an array as numpy never does')


def _array_state(made: Made, state: Any, walk: PickleWalk) -> None:
    if (not isinstance(state, tuple) or len(state) != 5 or state[0] != 1
            or state[3] not in (True, False)):
        refuse('it has an array whose state is none')
    needed = _dtype(state[2]).itemsize * math.prod(integers(state[1]))
    if _byte_count(state[4]) != needed:
        refuse(f'it has an array of {_byte_count(state[4])} bytes that needs '
               f'{needed}')
    walk.charge(needed)


def to_array(made: Any) -> Optional[np.ndarray]:
    """The array that a checked description stands for.

    Args:
        made (Any): As :class:`PickleWalk` gives it.

    Returns:
        np.ndarray | None: Read-only; None if it describes something else.
    """
    if not (isinstance(made, Made) and made.name in _RECONSTRUCT
            and made.state):
        return None
    _, shape, dtype, fortran, content = made.state
    return np.frombuffer(as_bytes(content), _dtype(dtype)).reshape(
        shape, order='F' if fortran else 'C')


def _scalar_args(args: tuple, walk: PickleWalk) -> None:
    if len(args) != 2 or _byte_count(args[1]) != _dtype(
            args[0]).itemsize:
        refuse('it has a number of the wrong size')


# torch: tensors that lie within their storage.


def _tensor_args(args: tuple, walk: PickleWalk) -> None:
    """(storage, offset, size, stride, requires_grad, hooks, ...)."""
    if not 4 <= len(args) <= 8 or not isinstance(args[0], Storage):
        refuse('it has a tensor without memory')
    storage, (offset, ) = args[0], integers(args[1:2])
    size, stride = integers(args[2]), integers(args[3])
    item = storage_item(storage.identity[1])
    if len(args) > 6 and isinstance(args[6], Name):
        item = _torch_dtype(args[6]).itemsize
    last = offset + sum((s - 1) * t for s, t in zip(size, stride, strict=True))
    if 0 not in size and (last + 1) * item > storage.nbytes:
        refuse(f'it has a tensor of {size} that lies outside of its memory')
    # an expanded tensor: whoever copies it pays for every element
    walk.charge(max(0, math.prod(size) * item - storage.nbytes))
    if len(args) > 5 and not _is_empty(args[5]):
        refuse('it has a tensor with hooks')
    if len(args) > 6 and not isinstance(args[-1], (Name, Pairs)):
        refuse('it has a tensor with unknown metadata')


def _is_empty(hooks: Any) -> bool:
    if getattr(hooks, 'name', '') == 'collections.OrderedDict':
        return not hooks.args and not hooks.items
    return hooks is None or hooks == ()


def _parameter_args(args: tuple, walk: PickleWalk) -> None:
    if (len(args) != 3
            or getattr(args[0], 'name', None) not in _TENSOR_FUNCTIONS
            or not _is_empty(args[2])):
        refuse('it has a parameter that is no tensor')


def _torch_dtype(name: str) -> torch.dtype:
    found = getattr(torch, name.split('.', 1)[1], None)
    if not isinstance(found, torch.dtype):
        refuse(f'it takes {name} for a type of numbers')
    return found


def storage_item(kind: Any) -> int:
    """Bytes of an element of a storage class.

    Args:
        kind (Any): :class:`Name` of the class, such as torch.FloatStorage.

    Returns:
        int: Bytes.

    Raises:
        UnsafeCheckpointError: If it names no storage class.
    """
    if not isinstance(kind, Name) or kind not in _STORAGES:
        refuse('it has memory of no known type')
    return _STORAGES[kind]


# FloatStorage and so on, whose names torch has kept for its files
_STORAGES = {
    f'{kind.__module__}.{kind.__name__}': kind._dtype.itemsize
    for kind in torch._storage_classes
    if issubclass(kind, torch.storage._LegacyStorage)
}
_STORAGES['torch.storage.UntypedStorage'] = 1
_TENSOR_FUNCTIONS = tuple(f'torch._utils._rebuild_tensor{suffix}'
                          for suffix in ('', '_v2', '_v3'))
_NUMPY_TYPES = tuple({np.dtype(code).type for code in _NUMPY_CODES})
_NUMBER, _WHOLE = (int, float), (int, type(None))

# What arrays need, the only thing in Paddle's files.
ARRAY_RULES: Dict[str, Rule] = {
    '_codecs.encode': Rule(_encode_args),
    'numpy.ndarray': Rule(),
    'numpy.dtype': Rule(_dtype_args, _dtype_state),
    **{name: Rule(_reconstruct_args, _array_state) for name in _RECONSTRUCT},
}
RULES: Dict[str, Rule] = {
    'torch._utils._rebuild_parameter': Rule(_parameter_args),
    'torch._utils._rebuild_sparse_tensor': _refused(
        'a sparse tensor', 'tensor.to_dense()'),
    'torch.serialization._get_layout': _refused(
        'a sparse tensor', 'tensor.to_dense()'),
    'torch._utils._rebuild_qtensor': _refused(
        'a quantised tensor', 'tensor.dequantize()'),
    **{f'torch.{name}': Rule() for name in dir(torch)
       if isinstance(getattr(torch, name), (torch.dtype, torch.qscheme))},
    'torch._utils._rebuild_meta_tensor_no_storage': _refused(
        'a tensor on the meta device, which has no values', 'a real one'),
    'torch.Size': Rule(lambda args, walk: [integers(a) for a in args]),
    'torch.device': Rule(_only(str, int)),
    'collections.OrderedDict': Rule(_pairs, _metadata_only, 'dict'),
    'collections.Counter': Rule(_pairs, items='dict'),
    'collections.defaultdict': Rule(_only(Name), items='dict'),
    'collections.deque': Rule(_deque_args, items='list'),
    _HISTORY_BUFFER: Rule(_nothing, _history_state, new=True),
    f'{_CONFIG}Dict': Rule(_pairs, items='dict'),
    _CONFIG: Rule(_nothing, _config_state, new=True),
    'argparse.Namespace': Rule(_nothing, _attributes, new=True),
    'datetime.datetime': Rule(_datetime_args),
    'datetime.date': Rule(_datetime_args),
    'datetime.time': Rule(_datetime_args),
    'datetime.timedelta': Rule(_only(int, int, int)),
    'datetime.timezone': Rule(_timezone_args),
    **ARRAY_RULES,
    **{name: Rule(_tensor_args) for name in _TENSOR_FUNCTIONS},
    **{name: Rule() for name in _STORAGES},
    **{f'numpy.{kind.__name__}': Rule() for kind in _NUMPY_TYPES},
    **{name: Rule(_scalar_args) for name in _SCALAR},
    **{name: Rule(_path_args) for name in _PATHS},
}  # yapf: disable
for _module in _BUILTINS:
    RULES.update({
        f'{_module}.set': Rule(_elements),
        f'{_module}.frozenset': Rule(_elements),
        f'{_module}.bytes': Rule(_nothing),
        f'{_module}.bytearray': Rule(_bytearray_args),
        f'{_module}.complex': Rule(_only(_NUMBER, _NUMBER)),
        f'{_module}.slice': Rule(_only(_WHOLE, _WHOLE, _WHOLE)),
        f'{_module}.getattr': Rule(_getattr_args),
        **{f'{_module}.{name}': Rule() for name in _FACTORIES if name != 'set'}
    })

# The same names for torch's weights-only unpickler, where it has not got them.


class _ConfigAsDict(dict):
    """A ``Config`` as a dict; saved again, it is a plain dict."""

    def __setstate__(self, state: tuple) -> None:
        self.update(state[0])

    def __reduce__(self) -> tuple:
        return collections.OrderedDict, (list(self.items()), )


def _history_buffer_method(kind: type, name: str) -> Callable:
    """Serve what HistoryBuffer's pickle asks of ``getattr``, no more."""
    if kind is not HistoryBuffer or name not in _HISTORY_BUFFER_METHODS:
        raise pickle.UnpicklingError('getattr serves HistoryBuffer only')
    return getattr(HistoryBuffer, name)


def _as_plain_dict(*args: Any) -> dict:
    """A ConfigDict's entries; of a defaultdict only its factory comes."""
    return dict(*[arg for arg in args if arg is not _FACTORY])


def _as_list(*args: Any) -> list:
    """A deque, which is saved empty and then filled."""
    return []


_FACTORY = object()

_SAFE_GLOBALS: Dict[str, Any] = {
    _HISTORY_BUFFER: HistoryBuffer,
    f'{_CONFIG}Dict': _as_plain_dict,
    _CONFIG: _ConfigAsDict,
    'argparse.Namespace': argparse.Namespace,
    'collections.defaultdict': _as_plain_dict,
    'collections.deque': _as_list,
    **{f'datetime.{name}': getattr(datetime, name)
       for name in ('datetime', 'date', 'time', 'timedelta', 'timezone')},
    'numpy.ndarray': np.ndarray,
    'numpy.dtype': np.dtype,
    **{f'numpy.{kind.__name__}': kind for kind in _NUMPY_TYPES},
    **{name: _reconstruct for name in _RECONSTRUCT},
    **{name: scalar for name in _SCALAR},
    **_PATHS,
    **{f'builtins.{kind.__name__}': kind
       for kind in (set, frozenset, bytes, bytearray, complex, slice)},
    'builtins.getattr': _history_buffer_method,
    **{f'builtins.{name}': _FACTORY for name in _FACTORIES if name != 'set'},
}  # yapf: disable
# what np.dtype('f8') is: torch compares the type that gets a state
_DTYPE_CLASSES = [(kind, f'numpy.dtypes.{kind.__name__}')
                  for kind in {type(np.dtype(code)) for code in _NUMPY_CODES}]


def safe_globals(names: Set[str]) -> List[Tuple[Any, str]]:
    """What ``torch.serialization.safe_globals`` needs to know for a file.

    Args:
        names (set[str]): That occur in it, all of them among :data:`RULES`.

    Returns:
        list[tuple]: Objects with their names. Few, since torch looks through
        all of them at every call.
    """
    # torch takes Python 2's name for this one
    names = {name.replace('__builtin__.', 'builtins.') for name in names}
    found = [(_SAFE_GLOBALS[name], name) for name in names
             if name in _SAFE_GLOBALS]
    return found + (_DTYPE_CLASSES if 'numpy.dtype' in names else [])
