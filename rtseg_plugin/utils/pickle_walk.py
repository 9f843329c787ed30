"""What a pickle would make, told without making it.

A pickle is a program for a small stack machine; calling functions and setting
the state of objects are two of its instructions. :class:`PickleWalk` follows
such a program with :func:`pickletools.genops`, which only decodes, and puts
descriptions on its stack: :class:`Name` for a global, :class:`Made` for what
a call would give. No name is imported, nothing is called or hashed.

A table says which names may occur, which may be called, and with what; the
walk stops at the first instruction that it does not allow. It also adds up
what the program would take in memory, since a few hundred bytes of pickle can
ask for gigabytes or for years of hashing.
"""
import pickle
import pickletools
import sys
from typing import IO, Any, Callable, Dict, List, Optional, Sequence, Tuple

# of an element on a stack or in a container, and of a container
_ITEM_BYTES, _CONTAINER_BYTES = 32, 72
_OPS_AT_ONCE = 256  # are charged for
_LARGEST_TUPLE_KEY = 64
_MOST_ODD_KEYS = 10000
_CONSTANTS = {
    'NONE': None,
    'NEWTRUE': True,
    'NEWFALSE': False,
}
_CLOSING = frozenset(('TUPLE', 'APPENDS', 'SETITEMS'))
_LITERALS = frozenset(
    ('BININT', 'BININT1', 'BININT2', 'LONG1', 'LONG4', 'INT', 'LONG', 'FLOAT',
     'BINFLOAT', 'BINUNICODE', 'SHORT_BINUNICODE', 'BINUNICODE8', 'UNICODE',
     'STRING', 'BINSTRING', 'SHORT_BINSTRING', 'BINBYTES', 'SHORT_BINBYTES',
     'BINBYTES8'))
_PLAIN_KEYS = (str, bytes, float, bool, type(None))


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


class _NestedTuple(tuple):
    """A tuple that knows how many elements it has when it is unfolded."""

    weight = 0


def _weight(value: Any) -> int:
    if isinstance(value, _NestedTuple):
        return value.weight
    return 1 + len(value) if isinstance(value, tuple) else 1


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
    """Follows one pickle after the other in a file.

    Args:
        rules (dict[str, Rule]): By full name; others are refused.
        budget (int): Bytes that all pickles together may take.
        storage (Callable, optional): Checks a persistent id and gives a
            :class:`Storage`; None refuses persistent ids.
    """

    def __init__(self,
                 rules: Dict[str, Rule],
                 budget: int,
                 storage: Optional[Callable[[tuple], Storage]] = None) -> None:
        self.rules, self.budget, self.storage = rules, budget, storage
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

    def check_keys(self, keys: Sequence[Any]) -> None:
        """Raise where hashing keys or elements of a set could take long."""
        for key in keys:
            if isinstance(key, _PLAIN_KEYS) or (isinstance(key, int) and
                                                abs(key) < 1 << 63):
                continue
            self._odd_keys += 1
            if (self._odd_keys > _MOST_ODD_KEYS
                    or not isinstance(key, (tuple, Made))
                    or _weight(key) > _LARGEST_TUPLE_KEY):
                refuse(f'it has a {type(key).__name__} as a key or element '
                       'of a set where a text or a number is usual')
            self.check_keys(key if isinstance(key, tuple) else key.args)

    def _call(self, function: Any, args: Any, new: bool = False) -> Made:
        if not isinstance(function, Name) or not isinstance(args, tuple):
            refuse('it calls something that is no function by name')
        rule = self.rules[function]
        if rule.call is None or (new and not rule.new):
            refuse(f'it calls {function}, which a checkpoint may not')
        self.charge(_CONTAINER_BYTES * 2)
        rule.call(args, self)
        return Made(str(function), args)

    def _tuple(self, items: Sequence[Any]) -> tuple:
        self.charge(_CONTAINER_BYTES)
        if not any(isinstance(item, tuple) for item in items):
            return tuple(items)
        nested = _NestedTuple(items)
        nested.weight = 1 + sum(map(_weight, items))
        return nested

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

    def follow(self, file: IO[bytes]) -> Any:
        """Follow one pickle, from where the file stands to its end.

        Args:
            file (IO[bytes]): Read up to the pickle's end.

        Returns:
            Any: Numbers, texts, lists and tuples as themselves, the rest as
            :class:`Pairs`, :class:`Name`, :class:`Made`, :class:`Storage`.

        Raises:
            UnsafeCheckpointError: If the program does what is not allowed.
            ValueError, IndexError, KeyError, ...: If it is damaged.
        """
        stack: List[Any] = []
        marked: List[List[Any]] = []  # the stacks below each open MARK
        memo: Dict[int, Any] = {}
        for number, (operation, arg, _) in enumerate(
                pickletools.genops(file), 1):
            op = operation.name
            if op in ('BINPUT', 'LONG_BINPUT'):
                memo[arg] = stack[-1]
                continue
            if number % _OPS_AT_ONCE == 0:
                self.charge(_ITEM_BYTES * _OPS_AT_ONCE)
            if op in _CLOSING:
                items, stack = stack, marked.pop()
            if op in _LITERALS:
                if isinstance(arg, (str, bytes)):
                    self.charge(sys.getsizeof(arg))
                stack.append(arg)
            elif op == 'MEMOIZE':
                memo[len(memo)] = stack[-1]
            elif op in ('BINGET', 'LONG_BINGET'):
                stack.append(memo[arg])
            elif op in _CONSTANTS:
                stack.append(_CONSTANTS[op])
            elif op == 'MARK':
                marked.append(stack)
                stack = []
            elif op == 'GLOBAL':
                stack.append(self._name(*arg.split(' ', 1)))
            elif op == 'STACK_GLOBAL':
                name, module = stack.pop(), stack.pop()
                stack.append(self._name(module, name))
            elif op == 'EMPTY_TUPLE':
                stack.append(())
            elif op in ('TUPLE1', 'TUPLE2', 'TUPLE3'):
                size = int(op[-1])
                items = stack[-size:]
                if len(items) < size:
                    refuse('it takes what it has not made')
                stack[-size:] = [self._tuple(items)]
            elif op == 'TUPLE':
                stack.append(self._tuple(items))
            elif op in ('EMPTY_LIST', 'EMPTY_DICT'):
                self.charge(_CONTAINER_BYTES)
                stack.append([] if op == 'EMPTY_LIST' else Pairs())
            elif op in ('APPEND', 'APPENDS'):
                if op == 'APPEND':
                    items = [stack.pop()]
                self._container(stack[-1], list, 'list').extend(items)
            elif op in ('SETITEM', 'SETITEMS'):
                if op == 'SETITEM':
                    items = stack[-2:]
                    del stack[-2:]
                self._set_items(stack[-1], items)
            elif op in ('REDUCE', 'NEWOBJ'):
                args = stack.pop()
                stack.append(self._call(stack.pop(), args, op == 'NEWOBJ'))
            elif op == 'BUILD':
                state = stack.pop()
                self._build(stack[-1], state)
            elif op == 'BINPERSID':
                stack.append(self._stored(stack.pop()))
            elif op == 'STOP':
                if len(stack) != 1 or marked:
                    refuse('it ends before it is complete')
                return stack[0]
            elif op not in ('PROTO', 'FRAME'):
                refuse(f'it uses the pickle instruction {op}, which no '
                       'checkpoint of weights needs')
        raise EOFError('it has no end')

    def _name(self, module: Any, name: Any) -> Name:
        full = f'{module}.{name}'
        if full not in self.rules:
            refuse(f'it asks for {full}, which is no part of a checkpoint of '
                   'weights: it may carry code and was not loaded. Where it '
                   'is your own, write it again with torch.save('
                   'model.state_dict(), PATH)')
        return Name(full)

    def _stored(self, identity: Any) -> Storage:
        if self.storage is None or not isinstance(identity, tuple):
            refuse('it refers to memory outside of the pickle')
        return self.storage(identity)


def integers(values: Any, lowest: int = 0) -> Tuple[int, ...]:
    """Check that values are a tuple of whole numbers.

    Args:
        values (Any): A tuple, or a ``torch.Size``.
        lowest (int): The lowest number allowed. Defaults to 0.

    Returns:
        tuple[int, ...]: The numbers.

    Raises:
        UnsafeCheckpointError: If they are something else.
    """
    if isinstance(values, Made) and values.name == 'torch.Size':
        values = values.args[0]
    if not isinstance(values, tuple) or any(
            type(v) is not int or not lowest <= v < 1 << 62 for v in values):
        refuse('it has a shape that is none')
    return values
