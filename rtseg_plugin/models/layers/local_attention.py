"""Attention of each position to a window around it in several maps.

The read of `LMANet <https://arxiv.org/abs/2101.01715>`_: with r = (R - 1) / 2
and K and V zero outside the map,

    logit[s, dy, dx] = sum_c query[c, y, x] * K[s, c, y + dy, x + dx]
    weight = softmax of logit over s, dy and dx together
    read[c, y, x] = sum_{s, dy, dx} weight * V[s, c, y + dy, x + dx]

A position outside the map is not masked: its logit 0 takes part in the
softmax and the value 0 is read there. Nothing is scaled.

:func:`local_attention` cuts the queries into tiles and compares each tile
with its whole neighbourhood in two batched matrix products; pairs outside the
window get the logit -inf. The tiles are worked off in chunks that reuse the
same buffers, and the backward pass computes the weights anew, so the memory
beyond inputs and result depends on the chunk and not on the map.
"""
from typing import Iterator, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from .precision import full_precision
from .tracing import is_tracing

# Queries per tile as (rows, columns). A smaller tile wastes fewer products on
# pairs outside the window but copies each key and value more often, so wide
# values want a larger one. A tile's neighbourhood is laid out by rows, so that
# a strip of the tile reads its part of it without a copy of its own.
_TILE, _TILE_WIDE, _WIDE, _STRIP = (16, 8), (16, 16), 512, 4
# Bytes of neighbourhoods and weights that one chunk holds, at least one tile:
# on a CPU about its cache, a GPU wants long products.
_CHUNK_CPU, _CHUNK_GPU = 16 << 20, 256 << 20


class _Plan(NamedTuple):
    """How a map is cut: radius, tile (rows, columns), tiles per axis."""
    radius: int
    rows: int
    columns: int
    down: int
    across: int

    @property
    def area(self) -> Tuple[int, int]:
        """Size of a tile's neighbourhood."""
        return (self.rows + 2 * self.radius, self.columns + 2 * self.radius)

    @property
    def strips(self) -> int:
        """Strips of a tile."""
        return self.rows // _STRIP

    @property
    def queries(self) -> int:
        """Queries of a strip."""
        return _STRIP * self.columns


class _Chunk(NamedTuple):
    """Neighbouring tiles of one row of tiles; positions in the map."""
    top: int
    left: int
    tiles: int


def _check(query: Tensor, keys: Tensor, values: Optional[Tensor],
           window_size: int) -> None:
    if window_size < 1 or window_size % 2 == 0:
        raise ValueError('window_size is the side of a window with a middle, '
                         f'an odd number, got {window_size}')
    if query.dim() != 4 or keys.dim() != 5:
        raise ValueError(
            'query must be (N, Ck, H, W) and keys (N, S, Ck, H, W), got '
            f'{tuple(query.shape)} and {tuple(keys.shape)}')
    n, channels, height, width = query.shape
    s = keys.shape[1]
    if s < 1:
        raise ValueError('keys hold no frame; without memory there is '
                         'nothing to read')
    if tuple(keys.shape) != (n, s, channels, height, width):
        raise ValueError(f'keys {tuple(keys.shape)} do not fit the query '
                         f'{tuple(query.shape)}')
    if values is not None and (
            values.dim() != 5 or tuple(values.shape[:2]) != (n, s)
            or tuple(values.shape[3:]) != (height, width)):
        raise ValueError(f'values {tuple(values.shape)} do not fit the keys '
                         f'{tuple(keys.shape)}')


def _compute_type(dtype: torch.dtype) -> torch.dtype:
    """Unscaled logits do not survive half precision."""
    return torch.promote_types(dtype, torch.float32)


def _make_plan(query: Tensor, value_channels: int, window_size: int) -> _Plan:
    height, width = query.shape[2:]
    rows, columns = _TILE_WIDE if value_channels >= _WIDE else _TILE
    return _Plan(window_size // 2, rows, columns,
                 (height + rows - 1) // rows,
                 (width + columns - 1) // columns)


def _inside(queries: int, radius: int, device: torch.device) -> Tensor:
    """Which positions of a line of queries' neighbourhood are in reach."""
    start = torch.arange(queries, device=device)[:, None]
    place = torch.arange(queries + 2 * radius, device=device)[None]
    return (place - start >= 0) & (place - start <= 2 * radius)


def _window_bias(rows: int, columns: int, radius: int, frames: int,
                 like: Tensor) -> Tensor:
    """0 inside the window, -inf outside.

    Shape (rows * columns, area rows * frames * area columns).
    """
    # (rows, columns, area rows, frames, area columns)
    both = (_inside(rows, radius, like.device)[:, None, :, None, None]
            & _inside(columns, radius, like.device)[None, :, None, None])
    both = both.expand(-1, -1, -1, frames, -1)
    bias = like.new_zeros(both.shape).masked_fill_(~both, float('-inf'))
    return bias.flatten(2).flatten(0, 1)


class _Reader:
    """Works off one map chunk by chunk in buffers that are used again.

    Args:
        query (Tensor): (N, Ck, H, W).
        keys (Tensor): (N, S, Ck, H, W).
        values (Tensor): (N, S, Cv, H, W).
        constant (Tensor, optional): Scalar logit of the extra candidate.
        window_size (int): R.
    """

    def __init__(self, query: Tensor, keys: Tensor, values: Tensor,
                 constant: Optional[Tensor], window_size: int):
        self.query, self.keys, self.values = query, keys, values
        self.constant = constant
        self.n, self.key_channels, self.height, self.width = query.shape
        self.frames, self.value_channels = values.shape[1:3]
        self.dtype = _compute_type(query.dtype)
        self.plan = plan = _make_plan(query, self.value_channels, window_size)
        height, width = plan.area
        self.positions = height * self.frames * width
        # what one strip sees of a neighbourhood
        self.step = _STRIP * self.frames * width
        self.reach = (_STRIP + 2 * plan.radius) * self.frames * width
        self.bias = _window_bias(_STRIP, plan.columns, plan.radius,
                                 self.frames,
                                 query.new_empty(0, dtype=self.dtype))
        per_tile = 4 * self.n * (
            self.positions * (self.key_channels + self.value_channels) +
            2 * plan.queries * self.reach)
        budget = _CHUNK_GPU if query.is_cuda else _CHUNK_CPU
        # as many chunks as needed, of about one size
        chunks = -(-plan.across // max(1, budget // per_tile))
        self.tiles = -(-plan.across // chunks)
        self._buffers = {}

    def chunks(self) -> Iterator[_Chunk]:
        """All chunks, row by row."""
        plan = self.plan
        for row in range(plan.down):
            for column in range(0, plan.across, self.tiles):
                yield _Chunk(row * plan.rows, column * plan.columns,
                             min(self.tiles, plan.across - column))

    def strips(self, chunk: _Chunk) -> Iterator[Tuple[int, slice]]:
        """Strips that are not wholly below the map, and what they see."""
        left = self.height - chunk.top
        for strip in range(min(self.plan.strips, -(-left // _STRIP))):
            yield strip, slice(strip * self.step,
                               strip * self.step + self.reach)

    def buffer(self, name: str, *shape: int,
               dtype: Optional[torch.dtype] = None) -> Tensor:
        """Uninitialised memory that the next chunk uses again."""
        size = 1
        for length in shape:
            size *= length
        if name not in self._buffers:
            self._buffers[name] = self.query.new_empty(
                size, dtype=dtype or self.dtype)
        return self._buffers[name][:size].view(shape)

    def _missing(self, chunk: _Chunk,
                 margin: int) -> Tuple[slice, slice, list]:
        """Rows and columns that exist, and what is missing around them."""
        top, left = chunk.top - margin, chunk.left - margin
        bottom = chunk.top + self.plan.rows + margin
        right = chunk.left + chunk.tiles * self.plan.columns + margin
        rows = slice(max(top, 0), min(bottom, self.height))
        columns = slice(max(left, 0), min(right, self.width))
        return rows, columns, [
            columns.start - left, right - columns.stop, rows.start - top,
            bottom - rows.stop
        ]

    def queries_of(self, x: Tensor, chunk: _Chunk, name: str,
                   dtype: torch.dtype) -> Tensor:
        """Strips of a map (N, C, H, W): (strips, N * tiles, C, queries)."""
        plan = self.plan
        rows, columns, pad = self._missing(chunk, 0)
        x = x[..., rows, columns]
        x = F.pad(x, pad) if any(pad) else x
        channels = x.shape[1]
        tiles = self.buffer(name, plan.strips, self.n, chunk.tiles, channels,
                            _STRIP, plan.columns, dtype=dtype)
        # (N, C, strips, rows, tiles, columns) -> (strips, N, tiles, C, rows,
        # columns)
        x = x.unflatten(3, (chunk.tiles, -1)).unflatten(2, (-1, _STRIP))
        tiles.copy_(x.permute(2, 0, 4, 1, 3, 5))
        return tiles.view(plan.strips, -1, channels, plan.queries)

    def area_of(self, x: Tensor, chunk: _Chunk, name: str,
                dtype: torch.dtype) -> Tensor:
        """Neighbourhoods in (N, S, C, H, W): (N * tiles, C, positions)."""
        rows, columns, pad = self._missing(chunk, self.plan.radius)
        x = x[..., rows, columns]
        x = F.pad(x, pad) if any(pad) else x
        height, width = self.plan.area
        channels = x.shape[2]
        areas = self.buffer(name, self.n, chunk.tiles, channels, height,
                            self.frames, width, dtype=dtype)
        # (N, S, C, height, tiles, width) -> (N, tiles, C, height, S, width)
        areas.copy_(
            x.unfold(4, width, self.plan.columns).permute(0, 4, 2, 3, 1, 5))
        return areas.view(-1, channels, self.positions)

    def put_queries(self, tiles: Tensor, chunk: _Chunk, to: Tensor) -> None:
        """Write (strips, N * tiles, C, queries) to its place in a map."""
        rows, columns, _ = self._missing(chunk, 0)
        part = tiles.view(self.plan.strips, self.n, chunk.tiles, -1, _STRIP,
                          self.plan.columns)
        # (strips, N, tiles, C, rows, columns) -> (N, C, strips * rows, tiles
        # * columns)
        part = part.permute(1, 3, 0, 4, 2, 5).flatten(4).flatten(2, 3)
        to[..., rows, columns] = part[..., :rows.stop - rows.start, :columns.
                                      stop - columns.start]

    def add_areas(self, areas: Tensor, chunk: _Chunk, to: Tensor) -> None:
        """Add (N * tiles, C, positions) to its places in (N, S, C, H, W)."""
        height, width = self.plan.area
        areas = areas.view(self.n, chunk.tiles, -1, height, self.frames, width)
        # (N, tiles, C, height, S, width) -> (N, tiles, S, C, height, width)
        areas = areas.permute(0, 1, 4, 2, 3, 5)
        for tile in range(chunk.tiles):
            at = _Chunk(chunk.top, chunk.left + tile * self.plan.columns, 1)
            rows, columns, (left, right, top, bottom) = self._missing(
                at, self.plan.radius)
            to[..., rows, columns] += areas[:, tile, ..., top:height - bottom,
                                            left:width - right]

    def weights_of(self, query: Tensor,
                   keys: Tensor) -> Tuple[Tensor, Optional[Tensor]]:
        """Attention of one strip, and what the constant takes of it.

        Args:
            query (Tensor): (N * tiles, Ck, queries).
            keys (Tensor): (N * tiles, Ck, reach).

        Returns:
            tuple[Tensor, Tensor | None]: (N * tiles, queries, reach) and
            (N * tiles, queries, 1).
        """
        shape = (query.shape[0], self.plan.queries, self.reach)
        logits = self.buffer('logits', *shape)
        torch.baddbmm(self.bias, query.transpose(1, 2), keys, out=logits)
        if self.constant is None:
            weights = self.buffer('weights', *shape)
            return torch.softmax(logits, 2, out=weights), None
        extra = self.constant.detach().to(logits)
        weights = torch.cat((logits, extra.expand(*shape[:2], 1)), 2)
        weights = weights.softmax(2)
        return weights[..., :-1], weights[..., -1:]

    def read(self) -> Tensor:
        """The result, (N, Cv, H, W) in the type of the values."""
        values = self.values
        result = values.new_empty(self.n, self.value_channels, self.height,
                                  self.width)
        for chunk in self.chunks():
            query = self.queries_of(self.query, chunk, 'query', self.dtype)
            keys = self.area_of(self.keys, chunk, 'keys', self.dtype)
            area = self.area_of(values, chunk, 'values', values.dtype)
            read = self.buffer('read', self.plan.strips, area.shape[0],
                               area.shape[1], self.plan.queries,
                               dtype=values.dtype)
            for strip, seen in self.strips(chunk):
                weights, _ = self.weights_of(query[strip], keys[..., seen])
                torch.bmm(
                    area[..., seen],
                    weights.to(values.dtype).transpose(1, 2),
                    out=read[strip])
            self.put_queries(read, chunk, result)
        return result


class _LocalAttention(torch.autograd.Function):
    """Backward computes each chunk's weights anew instead of keeping them."""

    @staticmethod
    def forward(ctx, query, keys, values, constant, window_size):
        result = _Reader(query, keys, values, constant, window_size).read()
        ctx.window_size = window_size
        ctx.save_for_backward(query, keys, values, constant, result)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        query, keys, values, constant, result = ctx.saved_tensors
        with torch.autocast(query.device.type, enabled=False):
            return (*_gradients(query, keys, values, constant, result, grad,
                                ctx.window_size, ctx.needs_input_grad), None)


def _gradients(query: Tensor, keys: Tensor, values: Tensor,
               constant: Optional[Tensor], result: Tensor, grad: Tensor,
               window_size: int, needed: Tuple[bool, ...]) -> list:
    reader = _Reader(query, keys, values, constant, window_size)
    dtype = reader.dtype
    # sums over overlapping neighbourhoods, so in the wider type
    grads = [
        torch.zeros_like(x, dtype=dtype) if need else None
        for x, need in zip((query, keys, values, constant), needed)
    ]
    d_query, d_keys, d_values, d_constant = grads
    # minus the sum of weight * d_weight over the candidates, (N, 1, H, W)
    mean = (grad.to(dtype) * result.to(dtype)).sum(1, keepdim=True).neg_()
    for chunk in reader.chunks():
        q = reader.queries_of(query, chunk, 'query', dtype)
        k = reader.area_of(keys, chunk, 'keys', dtype)
        g = reader.queries_of(grad, chunk, 'grad', dtype)
        v = reader.area_of(values, chunk, 'values', dtype)
        m = reader.queries_of(mean, chunk, 'mean', dtype).transpose(2, 3)
        d_q = reader.buffer('d_query', *q.shape)
        d_k = reader.buffer('d_keys', *k.shape).zero_()
        d_v = reader.buffer('d_values', *v.shape).zero_()
        for strip, seen in reader.strips(chunk):
            weights, extra = reader.weights_of(q[strip], k[..., seen])
            if needed[2]:
                d_v[..., seen].baddbmm_(g[strip], weights)
            if needed[3]:
                # queries beyond the border have a gradient of zero
                d_constant += (extra * m[strip]).sum()
            if not (needed[0] or needed[1]):
                continue
            # the logits are not needed any more; their memory is
            d_logits = reader.buffer('logits', *weights.shape)
            torch.baddbmm(
                m[strip], g[strip].transpose(1, 2), v[..., seen],
                out=d_logits)
            d_logits.mul_(weights)
            if needed[0]:
                torch.bmm(
                    k[..., seen], d_logits.transpose(1, 2), out=d_q[strip])
            if needed[1]:
                d_k[..., seen].baddbmm_(q[strip], d_logits)
        if needed[0]:
            reader.put_queries(d_q, chunk, d_query)
        if needed[1]:
            reader.add_areas(d_k, chunk, d_keys)
        if needed[2]:
            reader.add_areas(d_v, chunk, d_values)
    return [
        None if d is None else d.to(x.dtype)
        for d, x in zip(grads, (query, keys, values, constant))
    ]


def _plain(query: Tensor,
           keys: Tensor,
           values: Tensor,
           constant: Optional[Tensor],
           window_size: int,
           valid: Optional[Tensor] = None) -> Tensor:
    """All tiles at once in operations that compile, export and trace.

    Padding is the same for every size, and tiles are cut out and put together
    by indices: so an exported graph holds for all sizes of more than a tile.
    Channels come last, since a runtime then copies whole positions, and tiles
    stand where heads do, so that it may see one attention in it.
    """
    height, width = query.shape[2:]
    r, tile = window_size // 2, 8
    down, across = (height + tile - 1) // tile, (width + tile - 1) // tile
    dtype = _compute_type(query.dtype)

    def count(n: int) -> Tensor:
        return torch.arange(n, device=query.device)

    def cut(x: Tensor, margin: int) -> Tensor:
        """(N, S, C, H, W) -> (N, tiles, height * S * width, C)."""
        side, far = tile + 2 * margin, margin + tile - 1
        x = x.permute(0, 1, 3, 4, 2).to(dtype)
        x = F.pad(x, (0, 0, margin, far, margin, far))
        rows = count(down)[:, None] * tile + count(side)
        columns = count(across)[:, None] * tile + count(side)
        # (down, across, height, S, width)
        place = count(x.shape[1])[:, None] * x.shape[2]
        place = (place + rows[:, None, :, None, None]) * x.shape[3]
        place = (place + columns[:, None, None]).flatten()
        x = x.flatten(1, 3).index_select(1, place)
        return x.unflatten(1, (down * across, -1))

    q, k, v = cut(query[:, None], 0), cut(keys, r), cut(values, r)
    like = query.new_empty(0, dtype=dtype)
    # (N or 1, 1, queries, positions)
    bias = _window_bias(tile, tile, r, keys.shape[1], like)[None, None]
    if valid is not None:
        unread = like.new_zeros(valid.shape).masked_fill(
            ~valid, float('-inf'))
        unread = unread[:, None, :, None].expand(
            -1, tile + 2 * r, -1, tile + 2 * r)
        bias = bias + unread.flatten(1)[:, None, None]
    if constant is not None:
        k, v = F.pad(k, (0, 0, 0, 1)), F.pad(v, (0, 0, 0, 1))
        extra = constant.to(dtype) + torch.zeros_like(bias[..., :1])
        bias = torch.cat((bias, extra), -1)
    read = (q @ k.transpose(-1, -2) + bias).softmax(-1) @ v
    y, x = count(height)[:, None], count(width)
    place = (y // tile * across + x // tile) * tile + y % tile
    place = (place * tile + x % tile).flatten()
    read = read.flatten(1, 2).index_select(1, place).to(values.dtype)
    return read.unflatten(1, (height, width)).permute(0, 3, 1, 2)


def local_attention(query: Tensor,
                    keys: Tensor,
                    values: Tensor,
                    window_size: int,
                    constant: Optional[Tensor] = None,
                    valid: Optional[Tensor] = None) -> Tensor:
    """Read memory frames in a window around each position.

    The numbers are those of the module's docstring, on any device and for any
    floating type. Logits and softmax of half types are computed in float32.
    First derivatives only.

    Args:
        query (Tensor): Query keys of shape (N, Ck, H, W).
        keys (Tensor): Keys of S frames, (N, S, Ck, H, W).
        values (Tensor): Values of these frames, (N, S, Cv, H, W).
        window_size (int): Side R of the window, odd: R = 21 looks 10
            positions to each side.
        constant (Tensor, optional): A scalar logit that joins each softmax
            and whose weight is dropped: a way to read nothing. Defaults to
            None.
        valid (Tensor, optional): Which frames are read, (N, S), bool, at
            least one of each map; in the form that exports alone. Defaults to
            None: all.

    Returns:
        Tensor: What was read, (N, Cv, H, W), in the type of the values.

    Raises:
        ValueError: If shapes do not fit, there is no frame or the window has
            no middle.
    """
    _check(query, keys, values, window_size)
    if valid is not None or is_tracing(query):
        with full_precision(query):
            return _plain(query, keys, values, constant, window_size, valid)
    with torch.autocast(query.device.type, enabled=False):
        tensors = (query, keys, values, constant)
        if torch.is_grad_enabled() and any(
                x is not None and x.requires_grad for x in tensors):
            return _LocalAttention.apply(*tensors, window_size)
        return _Reader(*tensors, window_size).read()


def local_attention_weights(query: Tensor,
                            keys: Tensor,
                            window_size: int,
                            constant: Optional[Tensor] = None) -> Tensor:
    """The attention itself, for looking at it and for the reference.

    Args:
        query (Tensor): Query keys of shape (N, Ck, H, W).
        keys (Tensor): Keys of S frames, (N, S, Ck, H, W).
        window_size (int): Side R of the window, odd.
        constant (Tensor, optional): See :func:`local_attention`.

    Returns:
        Tensor: Weights of shape (N, R * R, S, H, W), the displacement dy * R
        + dx from the upper left corner of the window; S * R * R * H * W
        numbers.
    """
    _check(query, keys, None, window_size)
    r = window_size // 2
    height, width = query.shape[2:]
    padded = F.pad(keys, (r, r, r, r))
    logits = torch.stack([
        (query[:, None] * padded[..., dy:dy + height, dx:dx + width]).sum(2)
        for dy in range(window_size) for dx in range(window_size)
    ], 1)
    shape = logits.shape
    # one softmax over displacements and frames: (N, R * R * S, H, W)
    logits = logits.flatten(1, 2)
    if constant is not None:
        extra = constant.to(logits) + torch.zeros_like(logits[:, :1])
        logits = torch.cat((logits, extra), 1)
        return logits.softmax(1)[:, :-1].reshape(shape)
    return logits.softmax(1).view(shape)


def local_attention_reference(query: Tensor,
                              keys: Tensor,
                              values: Tensor,
                              window_size: int,
                              constant: Optional[Tensor] = None) -> Tensor:
    """:func:`local_attention` written out, slow and large: for tests.

    Args:
        query (Tensor): See :func:`local_attention`, as are the others.
        keys (Tensor): Keys.
        values (Tensor): Values.
        window_size (int): Side of the window.
        constant (Tensor, optional): Extra logit.

    Returns:
        Tensor: What was read, (N, Cv, H, W).
    """
    _check(query, keys, values, window_size)
    r = window_size // 2
    height, width = query.shape[2:]
    weights = local_attention_weights(query, keys, window_size, constant)
    padded = F.pad(values, (r, r, r, r))
    return sum((weights[:, dy * window_size + dx].unsqueeze(2) *
                padded[..., dy:dy + height, dx:dx + width]).sum(1)
               for dy in range(window_size) for dx in range(window_size))


def global_attention(query: Tensor,
                     keys: Tensor,
                     values: Tensor,
                     valid: Optional[Tensor] = None) -> Tensor:
    """Read memory frames everywhere: the ablation without a window.

    As in LMANet's official code, and unlike the local read, the logits are
    divided by the square root of the key channels.

    Args:
        query (Tensor): Query keys of shape (N, Ck, H, W).
        keys (Tensor): Keys of S frames, (N, S, Ck, H, W).
        values (Tensor): Values of these frames, (N, S, Cv, H, W).
        valid (Tensor, optional): Which frames are read, (N, S), bool.
            Defaults to None: all.

    Returns:
        Tensor: What was read, (N, Cv, H, W).
    """
    _check(query, keys, values, 1)
    # (N, 1, positions, C); the head axis is what the fused kernels expect
    q = query.flatten(2).transpose(1, 2).unsqueeze(1)
    k = keys.transpose(1, 2).flatten(2).transpose(1, 2).unsqueeze(1)
    v = values.transpose(1, 2).flatten(2).transpose(1, 2).unsqueeze(1)
    if valid is not None:
        # (N, 1, 1, S * H * W)
        valid = valid[:, :, None].expand(-1, -1, q.shape[2])
        valid = valid.flatten(1)[:, None, None]
    read = F.scaled_dot_product_attention(q, k, v, attn_mask=valid)
    return read.squeeze(1).transpose(1, 2).unflatten(2, query.shape[2:])
