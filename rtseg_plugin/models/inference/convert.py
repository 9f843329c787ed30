import copy
import inspect
import logging
import types
from functools import partial
from typing import Any, Callable, Dict, List

import torch
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves, tree_map

from ..layers.image_size import check_image_size
from ..layers.local_attention import local_attention
from ..layers.pooling import adaptive_max_pool2d
from .fused_conv import FusedConv2d
from .graph import NotRewritable, Rewriter
from .upsample import predict_by_feat

# Of the largest number of an output. A wrong rewrite is off by the whole, a
# right one by rounding, of which a sharp softmax may make more.
_TOLERANCE = 1e-3

logger = logging.getLogger(__name__)


def to_inference(network: nn.Module) -> nn.Module:
    """A copy of a network in its inference form: the same outputs, faster.

    The copy is tried on a small random image (twice the ``total_stride`` high,
    at least 64, and twice as wide), next to the original. What runs there is
    captured (``torch.fx``), part by part as large as can be, and rewritten:
    see :mod:`rtseg_plugin.models.inference`. A part that cannot be captured,
    such as one that looks at sizes, stays as it is, and its own parts are
    tried; so do modules on which hooks wait. The original is not touched, and
    switches the whole off by being used itself.

    The copy keeps the classes, attributes and methods of the original but not
    the modules within a captured part: to look up or tap one of these is an
    error, and so is training. Its parameters need no gradient.

    Args:
        network (nn.Module): A segmentor, a network that takes images, or a
            part that does, such as a backbone. In eval mode.

    Returns:
        nn.Module: The converted copy.

    Raises:
        ValueError: If the network is in training mode.
        RuntimeError: If the copy's outputs differ from the original's.
    """
    # a wrapper that was made around an evaluating network counts as such
    if any(m.training for m in network.modules() if not m._modules):
        raise ValueError(
            'to_inference takes a network in eval mode, this one trains: call '
            '.eval() first')
    converted = copy.deepcopy(network).eval()
    for parameter in converted.parameters():
        parameter.requires_grad_(False)
    images = _images(converted)
    with torch.no_grad():
        with _Calls(converted) as calls:
            wanted = _run(converted, images)
        _convert(converted, calls)
        for module in converted.modules():
            if (isinstance(module, BaseDecodeHead) and type(module)
                    .predict_by_feat is BaseDecodeHead.predict_by_feat):
                module.predict_by_feat = types.MethodType(
                    predict_by_feat, module)
        off = _difference(_run(converted, images), wanted)
    if not off <= _TOLERANCE:
        raise RuntimeError(
            f'the inference form of {type(network).__name__} gives other '
            f'outputs, {off:.2g} of the largest: use the network as it is, '
            'and please report its config')
    for module in converted.modules():
        if isinstance(module, FusedConv2d):
            module.forget_layout()
    converted.train = partial(_train, converted)
    return converted


def _train(network: nn.Module, mode: bool = True) -> nn.Module:
    if mode:
        raise RuntimeError(
            'the inference form of a network cannot be trained: train the '
            'network that was given to to_inference')
    return network


def _images(network: nn.Module) -> List[Tensor]:
    """Two frames."""
    parameter = next(network.parameters())
    first = next(p for p in network.parameters() if p.dim() == 4)
    strides = [getattr(m, 'total_stride', 0) for m in network.modules()]
    side = max(64, 2 * max(strides))
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(
        2, 1, first.shape[1], side, 2 * side, generator=generator)
    return list(images.to(parameter))


def _run(network: nn.Module, images: List[Tensor]) -> List[Tensor]:
    """Outputs of a few forwards, all that inference does."""
    if getattr(network, 'stateful', False) and hasattr(network, 'step'):
        state, outputs = None, []
        for image in (*images, images[0]):
            logits, state = network.step(image, state)
            outputs.append((logits, state))
        return tree_leaves(outputs)
    if isinstance(network, BaseSegmentor):
        return tree_leaves(network(images[0], mode='tensor'))
    return tree_leaves(network(images[0]))


def _difference(got: Any, wanted: Any) -> float:
    """Largest difference of tensors over the largest number."""
    got, wanted = tree_leaves(got), tree_leaves(wanted)
    if len(got) != len(wanted):
        return float('inf')
    worst = 0.
    for a, b in zip(got, wanted):
        if not isinstance(b, Tensor):
            continue
        if a.shape != b.shape or a.dtype != b.dtype:
            return float('inf')
        largest = b.abs().max().clamp(min=1e-12)
        # a number that is none is a difference, too
        off = ((a - b).abs().max() / largest).item()
        worst = max(worst, off if off == off else float('inf'))
    return worst


def _is_watched(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks
                or module._backward_hooks or module._backward_pre_hooks)


class _Calls:
    """Arguments and results of all modules during a run, as copies."""

    def __init__(self, network: nn.Module):
        self.watched = {m for m in network.modules() if _is_watched(m)}
        self.of: Dict[nn.Module, List[tuple]] = {}
        self._network = network

    def __enter__(self) -> '_Calls':
        for module in self._network.modules():
            # not by hooks: the host calls some forwards directly
            module.forward = self._recorded(module, module.forward)
        return self

    def _recorded(self, module: nn.Module, forward: Callable) -> Callable:

        def run(*args, **kwargs):
            before = _copied((args, kwargs))
            output = forward(*args, **kwargs)
            self.of.setdefault(module, []).append((*before, _copied(output)))
            return output

        return run

    def __exit__(self, *_) -> None:
        for module in self._network.modules():
            del module.forward


def _copied(values: Any) -> Any:
    return tree_map(lambda x: x.clone() if isinstance(x, Tensor) else x,
                    values)


class _Tracer(fx.Tracer):
    """Keeps modules whole that are PyTorch's or that hooks wait for.

    And functions that do something else when they are traced.
    """

    def __init__(self, whole: set):
        super().__init__(
            autowrap_functions=(adaptive_max_pool2d, local_attention))
        self.whole = whole

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return (isinstance(m, _BatchNorm)
                or super().is_leaf_module(m, module_qualified_name)
                or any(part in self.whole for part in m.modules()))


def _convert(module: nn.Module, calls: _Calls) -> None:
    """Rewrite a module's forward, or else those of its parts."""
    parts = list(module.named_children())
    if module in calls.of:
        for whole in (set(), _untraceable(module, calls)):
            try:
                rewritten = _rewritten(module, calls, whole)
            except Exception as error:  # whatever placeholders bring about
                logger.debug('%s stays: %r', type(module).__name__, error)
                continue
            _take_forward(module, rewritten)
            parts = [(name, part) for name, part in module.named_children()
                     if part in whole]
            break
    for name, part in parts:
        arguments = FusedConv2d.arguments_of(part)
        if arguments is not None:
            if part in calls.of and part not in calls.watched:
                setattr(module, name, FusedConv2d(*arguments))
        elif list(part.children()):
            _convert(part, calls)


def _untraceable(module: nn.Module, calls: _Calls) -> set:
    """The largest parts of a module that cannot be captured."""
    found = set()
    for part in module.children():
        if part not in calls.of:
            found |= _untraceable(part, calls)
        elif list(part.children()):
            try:
                _traced(part, calls, set())
            except Exception:
                found.add(part)
    return found


def _traced(module: nn.Module, calls: _Calls, whole: set) -> fx.Graph:
    """A module's forward as a graph, for the arguments of its calls."""
    recorded = calls.of[module]
    numbers = {len(args) for args, _, _ in recorded}
    if (module in calls.watched or len(numbers) != 1
            or any(kwargs for _, kwargs, _ in recorded)):
        raise NotRewritable('hooks, keywords or calls of several kinds')
    unset = list(inspect.signature(
        module.forward).parameters.values())[numbers.pop():]
    defaults = {
        p.name: p.default
        for p in unset if p.default is not inspect.Parameter.empty
    }
    return _Tracer(calls.watched | whole).trace(module, defaults or None)


def _rewritten(module: nn.Module, calls: _Calls,
               whole: set) -> fx.GraphModule:
    """The rewritten forward, which does what the recorded calls did."""
    recorded = calls.of[module]
    rewritten = Rewriter(
        module, _traced(module, calls, whole),
        calls.watched.__contains__).run(recorded[0][0])
    for args, _, output in recorded:
        off = _difference(rewritten(*_copied(args)), output)
        if not off <= _TOLERANCE:
            raise NotRewritable(f'off by {off:.2g}')
    return rewritten


def _take_forward(module: nn.Module, rewritten: fx.GraphModule) -> None:
    """Give a module another forward, and the parts that this one needs."""
    module._modules = rewritten._modules
    module._parameters = rewritten._parameters
    module._buffers = rewritten._buffers
    forward = types.MethodType(type(rewritten).forward, module)
    if hasattr(module, 'total_stride'):
        # what raises is not captured
        module.rewritten_forward = forward
        forward = types.MethodType(_checked_forward, module)
    module.forward = forward


def _checked_forward(module: nn.Module, x: Tensor) -> Any:
    check_image_size(x, module)
    return module.rewritten_forward(x)
