"""What a pickle would make, told without making it.

A pickle is a program for a small stack machine; calling functions and setting
the state of objects are two of its instructions. :class:`PickleWalk` follows
such a program without running it, and puts descriptions on its stack:
:class:`Name` for a global, :class:`Made` for what a call would give. No name
is imported, nothing is called or hashed.

A table says which names may occur, which may be called, and with what; the
walk stops at the first instruction that it does not allow. It also adds up
what the program would take in memory, since a few hundred bytes of pickle can
ask for gigabytes or for years of hashing.
"""
import pickle
import sys
from itertools import count
from mmap import mmap
from struct import Struct
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

# of an element on a stack or in a container, and of a container
_ITEM_BYTES, _CONTAINER_BYTES = 32, 72
_OPS_AT_ONCE = 256  # are charged for
_LARGEST_KEY, _DEEPEST_KEY = 16, 3  # a tuple's hash is reckoned every time
_MOST_ODD_KEYS = 10000
_LONGEST_NAME = 256
_PLAIN_KEYS = (str, bytes, float, bool, type(None))


def _utf8(text: bytes) -> str:
    return str(text, 'utf-8', 'surrogatepass')


def _latin1(text: bytes) -> str:
    return str(text, 'latin1')  # Python 2's bytes


# The instructions of the protocols 2 to 4; what only older ones have, such as
# numbers as text, is in no checkpoint.
_CONSTANTS = {
    pickle.NONE[0]: None,
    pickle.NEWTRUE[0]: True,
    pickle.NEWFALSE[0]: False,
    pickle.EMPTY_TUPLE[0]: (),
}
_NUMBERS = {
    pickle.BININT[0]: Struct('<i'),
    pickle.BININT1[0]: Struct('B'),
    pickle.BININT2[0]: Struct('<H'),
    pickle.BINFLOAT[0]: Struct('>d'),
}
_TUPLES = {pickle.TUPLE1[0]: 1, pickle.TUPLE2[0]: 2, pickle.TUPLE3[0]: 3}
# how the length is written, and what is made of so many bytes
_BYTE, _FOUR, _SIGNED, _EIGHT = map(Struct, ('B', '<I', '<i', '<Q'))
_SIZED = {
    pickle.SHORT_BINUNICODE[0]: (_BYTE, _utf8),
    pickle.BINUNICODE[0]: (_FOUR, _utf8),
    pickle.BINUNICODE8[0]: (_EIGHT, _utf8),
    pickle.SHORT_BINSTRING[0]: (_BYTE, _latin1),
    pickle.BINSTRING[0]: (_SIGNED, _latin1),
    pickle.SHORT_BINBYTES[0]: (_BYTE, bytes),
    pickle.BINBYTES[0]: (_FOUR, bytes),
    pickle.BINBYTES8[0]: (_EIGHT, bytes),
    pickle.LONG1[0]: (_BYTE, pickle.decode_long),
    pickle.LONG4[0]: (_SIGNED, pickle.decode_long),
}
# how the number in the memo is written
_PUTS = {pickle.BINPUT[0]: _BYTE, pickle.LONG_BINPUT[0]: _FOUR}
_GETS = {pickle.BINGET[0]: _BYTE, pickle.LONG_BINGET[0]: _FOUR}
_SKIPPED = {pickle.PROTO[0]: 1, pickle.FRAME[0]: 8}  # bytes behind them


class UnsafeCheckpointError(pickle.UnpicklingError):
    """A file holds something that is neither data nor a known class."""


class Name(str):
    """A global by its full name, such as ``torch.float32``."""


class Pairs(list):
    """A dict as its (key, value) pairs, in the order of the file."""


class Storage:
    """What a persistent id stands for: the memory of a tensor.

    Args:
        identity (tuple): What the file says of it.
        nbytes (int): Its size in bytes.
    """
    __slots__ = ('identity', 'nbytes')

    def __init__(self, identity: tuple, nbytes: int) -> None:
        self.identity, self.nbytes = identity, nbytes


class Made:
    """What a call would give.

    Attributes:
        name (str): Full name of the function or class.
        args (tuple): Its arguments.
        state (Any): What BUILD would set, ``None`` where it does not occur.
        items (list): What would be appended or set as an item.
    """
    __slots__ = ('name', 'args', 'state', 'items')

    def __init__(self, name: str, args: tuple) -> None:
        self.name, self.args, self.state = name, args, None
        self.items: List[Any] = []


class Rule:
    """What a name may be used for; without arguments, to be named only.

    Args:
        call (Callable, optional): ``call(args, walk)``, which raises where
            it may not be called with ``args``.
        build (Callable, optional): ``build(made, state, walk)``, which
            raises where that state may not be set.
        items (str): 'list' or 'dict' where elements may be added.
        new (bool): Whether NEWOBJ may make it as well.
    """

    def __init__(self,
                 call: Optional[Callable] = None,
                 build: Optional[Callable] = None,
                 items: str = '',
                 new: bool = False) -> None:
        self.call, self.build, self.items, self.new = call, build, items, new


def refuse(message: str) -> None:
    """Stop the walk.

    Args:
        message (str): What the file does.

    Raises:
        UnsafeCheckpointError: Always.
    """
    raise UnsafeCheckpointError(message)


class PickleWalk:
    """Follows pickles.

    Args:
        rules (dict[str, Rule]): By full name; others are refused.
        budget (int): Bytes that all pickles together may take.
        storage (Callable, optional): Checks a persistent id and gives a
            :class:`Storage`; None refuses persistent ids.

    Attributes:
        names (set[str]): Those that occurred.
    """

    def __init__(self,
                 rules: Dict[str, Rule],
                 budget: int,
                 storage: Optional[Callable[[tuple], Storage]] = None) -> None:
        self.rules, self.budget, self.storage = rules, budget, storage
        self.names: Set[str] = set()
        self._odd_keys = 0

    def charge(self, nbytes: int) -> None:
        """Account for memory that the program would take.

        Args:
            nbytes (int): Bytes.

        Raises:
            UnsafeCheckpointError: If that is more than is left.
        """
        self.budget -= nbytes
        if self.budget < 0:
            refuse('it would take more memory than twice its size')

    def check_keys(self, keys: Sequence[Any],
                   depth: int = _DEEPEST_KEY) -> None:
        """Raise where hashing keys or elements of a set could take long."""
        for key in keys:
            if isinstance(key, _PLAIN_KEYS) or (isinstance(key, int) and
                                                abs(key) < 1 << 63):
                continue
            self._odd_keys += 1
            parts = key.args if isinstance(key, Made) else key
            if (self._odd_keys > _MOST_ODD_KEYS or not depth
                    or not isinstance(parts, tuple)
                    or len(parts) > _LARGEST_KEY):
                refuse(f'it has a {type(key).__name__} as a key or element '
                       'of a set where a text or a number is usual')
            self.check_keys(parts, depth - 1)

    def _call(self, function: Any, args: Any, new: bool = False) -> Made:
        if not isinstance(function, Name) or not isinstance(args, tuple):
            refuse('it calls something that is no function by name')
        rule = self.rules[function]
        if rule.call is None or (new and not rule.new):
            refuse(f'it calls {function}, which a checkpoint may not')
        self.charge(_CONTAINER_BYTES * 2)
        rule.call(args, self)
        return Made(str(function), args)

    def _build(self, target: Any, state: Any) -> None:
        rule = self.rules.get(getattr(target, 'name', None))
        if rule is None or rule.build is None:
            refuse('it sets the state of '
                   f'{getattr(target, "name", type(target).__name__)}, which '
                   'a checkpoint may not')
        if target.state is not None:
            refuse(f'it sets the state of {target.name} twice')
        rule.build(target, state, self)
        target.state = state

    def _container(self, target: Any, plain: type, kind: str) -> list:
        if type(target) is plain:
            return target
        rule = self.rules.get(getattr(target, 'name', None))
        if rule is None or rule.items != kind:
            refuse(f'it adds elements to a {kind} that is none but '
                   f'{getattr(target, "name", type(target).__name__)}')
        return target.items

    def _set_items(self, target: Any, items: Sequence[Any]) -> None:
        if len(items) % 2:
            refuse('it sets an item without a value')
        self.check_keys(items[::2])
        self._container(target, Pairs, 'dict').extend(
            zip(items[::2], items[1::2], strict=True))

    def follow(self, data: Union[bytes, mmap], at: int = 0) -> tuple:
        """Follow one pickle to its end.

        Args:
            data (bytes | mmap): Where it stands.
            at (int): Where it begins there. Defaults to 0.

        Returns:
            tuple[Any, int]: What it makes (numbers, texts, lists and tuples
            as themselves, the rest as :class:`Pairs`, :class:`Name`,
            :class:`Made`, :class:`Storage`), and where it ends.

        Raises:
            UnsafeCheckpointError: If the program does what is not allowed.
            ValueError, IndexError, KeyError, ...: If it is damaged.
        """
        if data[at:at + 1] != pickle.PROTO:
            raise ValueError(f'no pickle begins at byte {at}')
        stack: List[Any] = []
        marked: List[List[Any]] = []  # the stacks below each open MARK
        memo: Dict[int, Any] = {}
        for number in count(1):
            op = data[at]
            at += 1
            if not number % _OPS_AT_ONCE:
                self.charge(_ITEM_BYTES * _OPS_AT_ONCE)
            if op in _PUTS:
                layout = _PUTS[op]
                memo[layout.unpack_from(data, at)[0]] = stack[-1]
                at += layout.size
            elif op in _GETS:
                layout = _GETS[op]
                stack.append(memo[layout.unpack_from(data, at)[0]])
                at += layout.size
            elif op in _NUMBERS:
                layout = _NUMBERS[op]
                stack += layout.unpack_from(data, at)
                at += layout.size
            elif op in _SIZED:
                layout, make = _SIZED[op]
                size, = layout.unpack_from(data, at)
                at += layout.size
                if not 0 <= size <= len(data) - at:
                    raise EOFError(f'{size} bytes are expected after byte '
                                   f'{at}, there are {len(data) - at}')
                stack.append(make(data[at:at + size]))
                self.charge(sys.getsizeof(stack[-1]))
                at += size
            elif op in _CONSTANTS:
                stack.append(_CONSTANTS[op])
            elif op == pickle.MARK[0]:
                marked.append(stack)
                stack = []
            elif op == pickle.TUPLE[0]:
                self.charge(_CONTAINER_BYTES)
                items, stack = stack, marked.pop()
                stack.append(tuple(items))
            elif op in _TUPLES:
                self.charge(_CONTAINER_BYTES)
                items = stack[-_TUPLES[op]:]
                del stack[-_TUPLES[op]:]
                if len(items) < _TUPLES[op]:
                    refuse('it takes what it has not made')
                stack.append(tuple(items))
            elif op in (pickle.REDUCE[0], pickle.NEWOBJ[0]):
                args = stack.pop()
                stack.append(
                    self._call(stack.pop(), args, op == pickle.NEWOBJ[0]))
            elif op == pickle.BINPERSID[0]:
                stack.append(self._stored(stack.pop()))
            elif op == pickle.GLOBAL[0]:
                middle = data.find(b'\n', at, at + _LONGEST_NAME)
                end = data.find(b'\n', middle + 1, at + _LONGEST_NAME)
                if not at < middle < end:
                    raise EOFError('it ends within a name')
                stack.append(
                    self._name(_utf8(data[at:middle]),
                               _utf8(data[middle + 1:end])))
                at = end + 1
            elif op == pickle.STACK_GLOBAL[0]:
                name, module = stack.pop(), stack.pop()
                stack.append(self._name(module, name))
            elif op == pickle.EMPTY_LIST[0]:
                self.charge(_CONTAINER_BYTES)
                stack.append([])
            elif op == pickle.EMPTY_DICT[0]:
                self.charge(_CONTAINER_BYTES)
                stack.append(Pairs())
            elif op == pickle.APPEND[0]:
                item = stack.pop()
                self._container(stack[-1], list, 'list').append(item)
            elif op == pickle.APPENDS[0]:
                items, stack = stack, marked.pop()
                self._container(stack[-1], list, 'list').extend(items)
            elif op == pickle.SETITEM[0]:
                items = stack[-2:]
                del stack[-2:]
                self._set_items(stack[-1], items)
            elif op == pickle.SETITEMS[0]:
                items, stack = stack, marked.pop()
                self._set_items(stack[-1], items)
            elif op == pickle.MEMOIZE[0]:
                memo[len(memo)] = stack[-1]
            elif op == pickle.BUILD[0]:
                state = stack.pop()
                self._build(stack[-1], state)
            elif op in _SKIPPED:
                at += _SKIPPED[op]
            elif op == pickle.STOP[0]:
                if len(stack) != 1 or marked:
                    refuse('it ends before it is complete')
                return stack[0], at
            else:
                refuse(f'it uses the pickle instruction {chr(op)!r}, which no '
                       'checkpoint of weights needs')

    def _name(self, module: Any, name: Any) -> Name:
        full = f'{module}.{name}'[:_LONGEST_NAME]
        if full not in self.rules:
            refuse(f'it asks for {full}, which is no part of a checkpoint of '
                   'weights: it may carry code and was not loaded. Where it '
                   'is your own, write it again with torch.save('
                   'model.state_dict(), PATH)')
        self.names.add(full)
        return Name(full)

    def _stored(self, identity: Any) -> Storage:
        if self.storage is None or not isinstance(identity, tuple):
            refuse('it refers to memory outside of the pickle')
        return self.storage(identity)


def integers(values: Any) -> Tuple[int, ...]:
    """Check that values are a tuple of whole numbers, none below 0.

    Args:
        values (Any): A tuple, or a ``torch.Size``.

    Returns:
        tuple[int, ...]: The numbers.

    Raises:
        UnsafeCheckpointError: If they are something else.
    """
    if isinstance(values, Made) and values.name == 'torch.Size':
        values = values.args[0]
    if not isinstance(values, tuple):
        refuse('it has a shape that is none')
    for value in values:
        if type(value) is not int or not 0 <= value < 1 << 62:
            refuse('it has a shape that is none')
    return values
