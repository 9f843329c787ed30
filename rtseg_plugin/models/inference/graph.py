"""Rewrites of a captured forward. They change no number but by rounding.

A forward is captured by ``torch.fx``. :class:`Rewriter` first makes it a pure
graph, nothing in place and constants folded, then every convolution a
:class:`.FusedConv2d`, and then lets these take in what stands around them.
"""
import copy
import operator
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from torch import Tensor, fx, nn
from torch.fx import Node
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .fused_conv import Affine2d, FusedConv2d, affine_of

_ADD = (operator.add, torch.add, 'add')
_ACTIVATIONS = {
    torch.relu: 'relu',
    F.relu: 'relu',
    'relu': 'relu',
    nn.ReLU: 'relu',
    F.leaky_relu: 'leaky_relu',
    nn.LeakyReLU: 'leaky_relu',
    torch.sigmoid: 'sigmoid',
    'sigmoid': 'sigmoid',
    nn.Sigmoid: 'sigmoid',
}
# what shares memory with its input, or may
_VIEWS = {
    'view', 'reshape', 'flatten', 'unflatten', 'transpose', 'permute',
    'squeeze', 'unsqueeze', 'chunk', 'split', 'unbind', 'expand', 'narrow',
    'contiguous', 't', 'to', 'float', 'view_as', 'reshape_as', 'expand_as',
    'getitem', 'select', 'detach', 'type_as'
}


class NotRewritable(Exception):
    """A forward that stays as it is."""


class _Shapes(fx.Interpreter):
    """Runs a graph and notes the shapes of its tensors."""

    def run_node(self, n: Node) -> Any:
        result = super().run_node(n)
        n.meta['shape'] = (
            tuple(result.shape) if isinstance(result, Tensor) else None)
        return result


class Rewriter:
    """One captured forward on its way.

    Args:
        root (nn.Module): Whose forward it is; gets the new modules.
        graph (fx.Graph): The forward.
        is_watched (Callable): Whether hooks wait on a module, which therefore
            stays as it is.
    """

    def __init__(self, root: nn.Module, graph: fx.Graph,
                 is_watched: Callable[[nn.Module], bool]):
        self.graph = graph
        self.is_watched = is_watched
        # flat names: a path into the plain network must not lead anywhere
        self.holder = nn.Module()
        for node in graph.nodes:
            if node.op == 'call_module':
                module = root.get_submodule(node.target)
                node.target = self._put(module, node.target)
            elif node.op == 'get_attr':
                value = operator.attrgetter(node.target)(root)
                node.target = self._put(value, node.target)

    # names and modules

    def _put(self, value: Any, like: str) -> str:
        """Give the holder a module or tensor; returns its name."""
        base = name = like.replace('.', '_')
        number = 1
        while getattr(self.holder, name, value) is not value:
            name, number = f'{base}_{number}', number + 1
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
            self.holder.register_buffer(name, value)
        else:
            setattr(self.holder, name, value)
        return name

    def module(self, node: Any) -> Optional[nn.Module]:
        """The module that a node calls."""
        if isinstance(node, Node) and node.op == 'call_module':
            return getattr(self.holder, node.target)
        return None

    def _conv(self, node: Any) -> Optional[FusedConv2d]:
        """The convolution that a node calls, if nothing is fused yet."""
        module = self.module(node)
        if isinstance(module, FusedConv2d) and module.act == 'none' and len(
                node.args) == 1:
            return module
        return None

    def _norm(self, node: Any) -> Optional[nn.Module]:
        """The batch norm with statistics that a node calls."""
        module = self.module(node)
        if (isinstance(module, _BatchNorm) and not module.training
                and module.running_mean is not None
                and not self.is_watched(module)):
            return module
        return None

    def _activation(self, node: Node) -> Tuple[Optional[str], Any]:
        """Name of the activation that a node is, and a slope."""
        module = self.module(node)
        if module is not None:
            if self.is_watched(module):
                return None, None
            if type(module) is nn.GELU:
                return ('gelu' if module.approximate == 'none' else
                        None), None
            return _ACTIVATIONS.get(type(module)), getattr(
                module, 'negative_slope', None)
        name = _ACTIVATIONS.get(node.target)
        if name == 'leaky_relu':
            rest = (*node.args[1:], node.kwargs.get('negative_slope', 0.01))
            return name, rest[0]
        return name, None

    def _is_add(self, node: Node) -> bool:
        return (node.target in _ADD and len(node.args) == 2
                and not node.kwargs
                and all(isinstance(x, Node) for x in node.args))

    def _replace(self, node: Node, by: Node) -> None:
        node.replace_all_uses_with(by)
        self.graph.erase_node(node)

    def _drop_unused(self) -> None:
        """Nothing is in place any more, so what nobody reads has no effect."""
        for node in reversed(self.graph.nodes):
            if not node.users and node.op not in ('placeholder', 'output'):
                self.graph.erase_node(node)

    # passes

    def run(self, example: Tuple[Tensor, ...]) -> fx.GraphModule:
        """All rewrites.

        Args:
            example (tuple): Arguments of the forward.

        Returns:
            fx.GraphModule: The forward, rewritten.
        """
        self._out_of_place()
        self._fold_constants()
        self._drop_identities()
        self._note_shapes(example)
        self._take_convolutions()
        self._fold_norms()
        self._fold_norms_before()
        self._fuse_activations()
        self._convolve_before_resize()
        self._fuse_sums()
        self._affine_norms()
        self._in_place()
        self._drop_unused()
        self.graph.lint()
        return fx.GraphModule(self.holder, self.graph)

    def _note_shapes(self, example: Tuple[Tensor, ...]) -> None:
        _Shapes(self.holder, graph=self.graph).run(*example)

    def _out_of_place(self) -> None:
        """In-place operations become others; later uses see the result."""
        position = {node: i for i, node in enumerate(self.graph.nodes)}
        for node in list(self.graph.nodes):
            if not self._make_out_of_place(node):
                continue
            changed = node.args[0]
            if not isinstance(changed, Node) or changed.op in ('placeholder',
                                                               'get_attr'):
                raise NotRewritable(f'{node} changes what is not its own')
            here = position[node]

            def later(x: Node, here=here, node=node) -> List[Node]:
                return [
                    user for user in x.users
                    if user is not node and position[user] > here
                ]

            aliases = [user for user in changed.users if _is_view(user)]
            while _is_view(changed):
                changed = changed.args[0]
                aliases.append(changed)
            if any(later(alias) for alias in aliases):
                raise NotRewritable(f'{node} changes a part of a tensor')
            for user in later(node.args[0]):
                user.replace_input_with(node.args[0], node)

    def _make_out_of_place(self, node: Node) -> bool:
        """Change one node; returns whether it worked in place."""
        if node.op == 'call_module':
            module = self.module(node)
            if not getattr(module, 'inplace', False):
                return False
            if self.is_watched(module):
                raise NotRewritable(f'a hook waits for {node}')
            plain = copy.copy(module)
            plain.inplace = False
            node.target = self._put(plain, node.target)
            return True
        if node.op == 'call_method':
            if not node.target.endswith('_') or node.target.endswith('__'):
                return False
            if not hasattr(Tensor, node.target[:-1]):
                raise NotRewritable(f'{node} writes into a tensor')
            node.target = node.target[:-1]
            return True
        if node.op != 'call_function':
            return False
        name = getattr(node.target, '__name__', '')
        if name == 'setitem' or 'out' in node.kwargs:
            raise NotRewritable(f'{node} writes into a tensor')
        if node.kwargs.get('inplace'):
            node.kwargs = {
                k: v
                for k, v in node.kwargs.items() if k != 'inplace'
            }
            return True
        if name[:1] == 'i' and name[1:] in ('add', 'sub', 'mul', 'truediv'):
            node.target = getattr(operator, name[1:])
            return True
        if name.endswith('_') and not name.endswith('__'):
            plain = getattr(F, name[:-1], getattr(torch, name[:-1], None))
            if plain is None:
                raise NotRewritable(f'{node} writes into a tensor')
            node.target = plain
            return True
        return False

    def _fold_constants(self) -> None:
        """Compute what depends on no input."""
        constants: Dict[Node, Any] = {}
        for node in list(self.graph.nodes):
            if node.op == 'get_attr':
                constants[node] = getattr(self.holder, node.target)
                continue
            inputs = node.all_input_nodes
            if (node.op not in ('call_function', 'call_method') or not inputs
                    or any(x not in constants for x in inputs)):
                continue
            args, kwargs = fx.node.map_arg((node.args, node.kwargs),
                                           constants.__getitem__)
            with torch.no_grad():
                if node.op == 'call_method':
                    value = getattr(args[0], node.target)(*args[1:], **kwargs)
                else:
                    value = node.target(*args, **kwargs)
            constants[node] = value
        for node, value in constants.items():
            if isinstance(value, Tensor) and node.op != 'get_attr':
                name = self._put(value.detach().clone(), f'const_{node.name}')
                with self.graph.inserting_before(node):
                    node.replace_all_uses_with(self.graph.get_attr(name))
            elif not isinstance(value, Tensor):
                for user in list(node.users):
                    user.args, user.kwargs = fx.node.map_arg(
                        (user.args, user.kwargs),
                        lambda x, node=node, value=value: value
                        if x is node else x)
        self._drop_unused()

    def _drop_identities(self) -> None:
        for node in list(self.graph.nodes):
            module = self.module(node)
            nothing = (nn.Identity, nn.modules.dropout._DropoutNd)
            if (isinstance(module, nothing) and not module.training
                    and not self.is_watched(module)):
                self._replace(node, node.args[0])

    def _take_convolutions(self) -> None:
        """Every convolution that zeros pad becomes a FusedConv2d."""
        for node in list(self.graph.nodes):
            found = self._convolution_of(node)
            if found is None:
                continue
            x, *arguments = found
            fused = FusedConv2d(*arguments)
            with self.graph.inserting_before(node):
                new = self.graph.call_module(
                    self._put(fused, f'{node.name}_fused'), (x, ))
            new.meta.update(node.meta)
            self._replace(node, new)

    def _convolution_of(self, node: Node) -> Optional[tuple]:
        """Input, weight, bias, stride, padding, dilation and groups."""
        module = self.module(node)
        if module is not None:
            arguments = FusedConv2d.arguments_of(module)
            if (arguments is None or len(node.args) != 1
                    or self.is_watched(module)):
                return None
            return node.args[0], *arguments
        if node.target not in (F.conv2d, torch.conv2d):
            return None
        names = ('input', 'weight', 'bias', 'stride', 'padding', 'dilation',
                 'groups')
        given = dict(
            dict(bias=None, stride=1, padding=0, dilation=1, groups=1),
            **dict(zip(names, node.args)), **node.kwargs)
        for name in ('weight', 'bias'):
            value = given[name]
            if isinstance(value, Node):
                if value.op != 'get_attr':
                    return None  # computed from the input
                given[name] = getattr(self.holder, value.target)
        numbers = []
        for name in ('stride', 'padding', 'dilation'):
            value = given[name]
            value = (value, value) if isinstance(value, int) else value
            if isinstance(value, str) or any(
                    not isinstance(v, int) for v in value):
                return None
            numbers.append(tuple(value))
        return (given['input'], given['weight'], given['bias'], *numbers,
                given['groups'])

    def _fold_norms(self) -> None:
        """A batch norm behind a convolution joins its weights."""
        for node in list(self.graph.nodes):
            norm = self._norm(node)
            if norm is None:
                continue
            conv = self._conv(node.args[0])
            if conv is None or len(node.args[0].users) > 1:
                continue
            conv.set_weights(*fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.running_mean, norm.running_var,
                norm.eps, norm.weight, norm.bias))
            self._replace(node, node.args[0])

    def _fold_norms_before(self) -> None:
        """So does one before convolutions that pad nothing."""
        for node in list(self.graph.nodes):
            norm = self._norm(node)
            if norm is None or not node.users:
                continue
            convs = [self._conv(user) for user in node.users]
            if any(conv is None or any(conv.padding) or conv.groups != 1
                   for conv in convs):
                continue
            scale, shift = affine_of(norm)
            for conv in convs:
                shifted = (conv.weight.sum((2, 3)) * shift).sum(1)
                conv.set_weights(
                    conv.weight * scale.view(1, -1, 1, 1),
                    shifted if conv.bias is None else conv.bias + shifted)
            self._replace(node, node.args[0])

    def _fuse_activations(self) -> None:
        for node in list(self.graph.nodes):
            name, slope = self._activation(node)
            if name is None:
                continue
            conv = self._conv(node.args[0])
            if conv is not None and len(node.args[0].users) == 1:
                conv.act, conv.slope = name, slope
                self._replace(node, node.args[0])

    def _resized(self, node: Any) -> Optional[Node]:
        """What a node enlarges bilinearly."""
        if not isinstance(node, Node) or node.target is not F.interpolate:
            return None
        mode = (*node.args[3:4], node.kwargs.get('mode'))[0]
        source, shape = node.args[0], node.meta.get('shape')
        if mode != 'bilinear' or not source.meta.get('shape') or not shape:
            return None
        smaller = source.meta['shape'][2:]
        return source if smaller[0] * smaller[1] < shape[2] * shape[
            3] else None

    def _convolve_before_resize(self) -> None:
        """1x1 convolutions of what was enlarged go before the resize.

        Both are linear and the weights of a resize sum to one, so they
        commute; of a concatenation each part is convolved by itself.
        """
        for node in list(self.graph.nodes):
            conv = self.module(node)
            if (not isinstance(conv, FusedConv2d) or len(node.args) != 1
                    or conv.weight.shape[2:] != (1, 1) or conv.groups != 1
                    or any(conv.padding) or set(conv.stride) != {1}):
                continue
            source = node.args[0]
            parts = _concatenated(source)
            if parts is None:
                parts = [source]
            elif len(source.users) > 1:
                continue
            shapes = [part.meta.get('shape') for part in parts]
            out_channels = conv.weight.shape[0]
            early = [
                self._resized(part) is not None and shape[1] >= out_channels
                for part, shape in zip(parts, shapes)
            ]
            if any(early) and all(shapes) and (conv.act in ('none', 'relu')
                                               or all(early)):
                self._split(node, conv, parts, early)

    def _split(self, node: Node, conv: FusedConv2d, parts: List[Node],
               early: List[bool]) -> None:
        sizes = [part.meta['shape'][1] for part in parts]
        weights = conv.weight.split(sizes, dim=1)
        shape = node.meta['shape']
        late = [part for part, e in zip(parts, early) if not e]
        bias = conv.bias
        total = None
        with self.graph.inserting_before(node):
            for part, weight, is_early in zip(parts, weights, early):
                if not is_early:
                    continue
                # constants pass a resize as they are; one of them is enough
                small = FusedConv2d(weight, None if late else bias, (1, 1),
                                    (0, 0), (1, 1), 1)
                bias = bias if late else None
                low = self.graph.call_module(
                    self._put(small, f'{node.name}_low'), (part.args[0], ))
                low.meta['shape'] = (*shape[:2],
                                     *part.args[0].meta['shape'][2:])
                high = self.graph.call_function(
                    F.interpolate, (low, *part.args[1:]), dict(part.kwargs))
                high.meta['shape'] = shape
                if total is not None:
                    high = self.graph.call_function(operator.add,
                                                    (total, high))
                    high.meta['shape'] = shape
                total = high
            if late:
                weight = torch.cat(
                    [w for w, is_early in zip(weights, early) if not is_early],
                    dim=1)
                rest = FusedConv2d(weight, bias, (1, 1), (0, 0), (1, 1), 1)
                rest.act = conv.act
                source = late[0]
                if len(late) > 1:
                    source = self.graph.call_function(torch.cat, (late, 1))
                total = self.graph.call_module(
                    self._put(rest, f'{node.name}_rest'), (source, total))
            elif conv.act != 'none':
                total = self.graph.call_function(
                    *_activation_call(conv.act, conv.slope, total))
            total.meta['shape'] = shape
        self._replace(node, total)
        self._drop_unused()

    def _fuse_sums(self) -> None:
        """A sum, and a ReLU of it, join one of their convolutions."""
        position = {node: i for i, node in enumerate(self.graph.nodes)}
        for node in list(self.graph.nodes):
            if not self._is_add(node):
                continue
            shapes = [x.meta.get('shape') for x in node.args]
            if shapes[0] is None or shapes[0] != shapes[1]:
                continue
            found = [
                x for x in node.args
                if self._conv(x) is not None and len(x.users) == 1
            ]
            if not found or node.args[0] is node.args[1]:
                continue
            conv = max(found, key=lambda x: position.get(x, -1))
            other = node.args[0] if conv is node.args[1] else node.args[1]
            with self.graph.inserting_before(node):
                new = self.graph.call_module(conv.target,
                                             (conv.args[0], other))
            new.meta.update(node.meta)
            position[new] = position[node]
            self._replace(node, new)
            self.graph.erase_node(conv)
            if len(new.users) == 1:
                user = next(iter(new.users))
                if self._activation(user)[0] == 'relu':
                    self.module(new).act = 'relu'
                    self._replace(user, new)

    def _affine_norms(self) -> None:
        """Batch norms that stand alone become one scaled sum."""
        for node in list(self.graph.nodes):
            norm = self._norm(node)
            if norm is not None and len(node.meta.get('shape') or ()) == 4:
                node.target = self._put(Affine2d(norm), node.target)

    def _in_place(self) -> None:
        """An activation overwrites what nobody else looks at."""
        for node in self.graph.nodes:
            name, slope = self._activation(node)
            if name not in ('relu', 'leaky_relu'):
                continue
            source = node.args[0]
            if len(source.users) > 1 or not self._is_fresh(source):
                continue
            target, args, kwargs = _activation_call(name, slope, source)
            node.op, node.target = 'call_function', target
            node.args, node.kwargs = args, dict(kwargs, inplace=True)

    def _is_fresh(self, node: Node) -> bool:
        if isinstance(self.module(node), (FusedConv2d, Affine2d)):
            return True
        return node.target in (*_ADD, F.interpolate, torch.cat)


def _activation_call(name: str, slope: Any, x: Node) -> tuple:
    """Function, arguments and keywords of an activation."""
    if name == 'leaky_relu':
        return F.leaky_relu, (x, slope), {}
    return {'relu': F.relu, 'gelu': F.gelu, 'sigmoid': torch.sigmoid}[name], (
        x, ), {}


def _is_view(node: Any) -> bool:
    if not isinstance(node, Node) or not node.args or not isinstance(
            node.args[0], Node):
        return False
    name = node.target if isinstance(node.target, str) else getattr(
        node.target, '__name__', '')
    return node.op in ('call_function', 'call_method') and name in _VIEWS


def _concatenated(node: Any) -> Optional[List[Node]]:
    """What a node concatenates along the channels."""
    if not isinstance(node, Node) or node.target is not torch.cat:
        return None
    parts = node.args[0]
    dim = (*node.args[1:], node.kwargs.get('dim', 0))[0]
    if dim != 1 or not isinstance(parts, (list, tuple)):
        return None
    return list(parts)
