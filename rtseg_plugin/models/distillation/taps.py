"""Reading named tensors out of a network while it runs."""
import re
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor, nn

_GRAMMAR = re.compile(r'(?P<module>[\w.]+)(?P<input>@input)?(?::(?P<i>\d+))?')


class Tap(NamedTuple):
    """A tensor of a network by name.

    Attributes:
        name (str): As written in the config.
        module (str): Path of the module.
        of_input (bool): Whether its first input is meant, not its output.
        index (int, optional): Which one, of a module that gives several.
    """
    name: str
    module: str
    of_input: bool
    index: Optional[int]


def parse_tap(name: str, network: nn.Module, role: str) -> Tap:
    """Parse the name of a tensor and look its module up.

    ``backbone:2`` is the third output of the module ``backbone``,
    ``decode_head.conv_seg`` the output of the classifier (the logits at the
    stride of the head), ``decode_head.fusion_conv@input`` what enters that
    module.

    Args:
        name (str): ``MODULE[@input][:INDEX]``.
        network (nn.Module): Where it is looked up.
        role (str): What the network is called in the error message.

    Returns:
        Tap: The parsed name.

    Raises:
        ValueError: If it is malformed or there is no such module; lists the
            modules that exist.
    """
    match = _GRAMMAR.fullmatch(name)
    if match is None:
        raise ValueError(f'{name!r} names no tensor of the {role}: write '
                         'MODULE[@input][:INDEX], for instance "backbone:2"')
    path = match['module']
    try:
        network.get_submodule(path)
    except AttributeError:
        modules = dict(network.named_modules())
        near = get_close_matches(path, modules, n=5, cutoff=0.5)
        top = [key for key in modules if key and key.count('.') <= 1]
        raise ValueError(
            f'{name!r}: the {role} has no module {path!r}. '
            f'Similar: {near or "none"}; its modules of the first two levels '
            f'are: {", ".join(top)}') from None
    index = match['i']
    return Tap(name, path, match['input'] is not None,
               None if index is None else int(index))


def _pick(value, tap: Tap, role: str) -> Tensor:
    """Choose the tensor that a tap means, or say which ones there are."""
    if isinstance(value, (tuple, list)):
        if tap.index is None and len(value) == 1:
            return value[0]
        if tap.index is None or tap.index >= len(value):
            shapes = [f'{tap.module}:{i} {tuple(v.shape)}'
                      for i, v in enumerate(value) if hasattr(v, 'shape')]
            raise ValueError(f'{tap.name!r} chooses none of the tensors of '
                             f'the {role}; those are: {", ".join(shapes)}')
        return value[tap.index]
    if tap.index:
        raise ValueError(f'{tap.name!r}: {tap.module!r} of the {role} gives '
                         f'one tensor, so its only name is {tap.module!r}')
    return value


@contextmanager
def record(network: nn.Module, taps: Sequence[Tap],
           role: str) -> Iterator[Dict[str, Tensor]]:
    """Collect tapped tensors of the forwards inside the ``with`` block.

    What is kept are copies, taken when the module begins (its input) or ends
    (its output): operations in place that follow do not change them. A copy
    belongs to the graph of its original, except under inference mode: there
    it is an ordinary tensor, which may enter a graph.

    Nothing stays on the network: the hooks are gone after the block.

    Args:
        network (nn.Module): The network that runs.
        taps (Sequence[Tap]): What to collect.
        role (str): What the network is called in error messages.

    Yields:
        dict[str, Tensor]: Filled while the network runs, by tap name.
    """
    tensors: Dict[str, Tensor] = {}
    handles: List = []
    for tap in taps:

        def keep(value, tap=tap):
            tensor = _pick(value, tap, role)
            if tensor.is_inference():
                with torch.inference_mode(False):
                    tensors[tap.name] = tensor.clone()
            else:
                tensors[tap.name] = tensor.clone()

        module = network.get_submodule(tap.module)
        if tap.of_input:
            handle = module.register_forward_pre_hook(
                lambda module, args, keep=keep: keep(args[0]))
        else:
            handle = module.register_forward_hook(
                lambda module, args, output, keep=keep: keep(output))
        handles.append(handle)
    try:
        yield tensors
    finally:
        for handle in handles:
            handle.remove()
    absent = [tap.name for tap in taps if tap.name not in tensors]
    if absent:
        raise ValueError(
            f'the {role} did not run the modules of {absent}; name tensors '
            'of modules that are called in its forward (the logits are '
            '"decode_head.conv_seg")')
