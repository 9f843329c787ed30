from typing import NamedTuple, Optional, Sequence, Tuple

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.fanet.fast_attention import KAIMING, LEAKY
from ..layers.precision import full_precision


class FastAttentionStage(BaseModule):
    """Attention and fusion on one stage of the pyramid (Fig. 1 b and c).

    Follows the official code, which has a lateral convolution and a shortcut
    around the attention, and pads the 1x1 convolution ``up`` by one pixel:
    the frame of constants that comes of it is resized with the feature.

    Args:
        in_channels (int): Channels of the stage.
        up_channels (int): Channels of ``up``, 0 for none.
        out_channels (int): Channels of ``smooth``, 0 for none.
        attention (dict): Config of the attention layer.
        norm_cfg (dict): Norm layers.
        act_cfg (dict): Activations.
    """

    def __init__(self, in_channels: int, up_channels: int, out_channels: int,
                 attention: dict, norm_cfg: dict, act_cfg: dict):
        super().__init__()
        cfgs = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.attention = MODELS.build(
            dict(in_channels=in_channels, norm_cfg=norm_cfg, **attention))
        self.lateral = ConvModule(in_channels, in_channels, 1, **cfgs)
        if up_channels:
            self.up = ConvModule(
                in_channels, up_channels, 1, padding=1, **cfgs)
        if out_channels:
            self.smooth = ConvModule(
                in_channels, out_channels, 3, padding=1, **cfgs)

    def fuse(self, x: Tensor, attended: Tensor,
             deeper: Optional[Tensor] = None) -> Tensor:
        """Put together what makes the stage's output.

        Args:
            x (Tensor): The stage's feature, (N, C, H, W).
            attended (Tensor): What attention made of it, (N, C, H, W).
            deeper (Tensor, optional): ``up`` of the next deeper stage, of any
                size. Defaults to None.

        Returns:
            Tensor: Of shape (N, C, H, W).
        """
        if attended.dtype == torch.float32:
            # under autocast float32 means that it may not fit into less;
            # the norm after the convolution brings it back to size
            with full_precision(attended):
                attended = self.lateral(attended)
        else:
            attended = self.lateral(attended)
        fused = x + attended
        if deeper is not None:
            fused += F.interpolate(
                deeper,
                size=x.shape[2:],
                mode='bilinear',
                align_corners=True)
        return fused

    def forward(self, x: Tensor, deeper: Optional[Tensor] = None) -> Tensor:
        """Attend within the stage and fuse."""
        return self.fuse(x, self.attention(x), deeper)


@MODELS.register_module()
class FastAttentionNeck(BaseModule):
    """Attention on each stage and a cascade from the deepest one upwards.

    Paper: `Real-time Semantic Segmentation with Fast Attention
    <https://arxiv.org/abs/2007.03815>`_ (RA-L 2021). Official repository:
    feinanshan/FANet (MIT). The defaults are those of FANet-18 and -34.

    Three convolutions of the official network reach no logits: ``up`` of the
    first stage, ``smooth`` of the second and the last. Here a stage has what
    is used, so every parameter gets a gradient. The official auxiliary head
    on the last stage applies ``smooth`` itself (:class:`.FANetAuxiliaryHead`).

    Args:
        in_channels (Sequence[int]): Channels of the stages, shallow to deep,
            of any backbone. Defaults to (64, 128, 256, 512).
        out_channels (int): Channels of the outputs. Defaults to 128.
        out_indices (Sequence[int]): Stages with an output, ascending; those
            below the first one are neither needed nor built. Defaults to
            (0, 2): the output and the skip of FANet.
        attention (dict): Config of the attention layer of each stage, built
            with ``in_channels`` and ``norm_cfg``; the rows of Table III.
            Defaults to dict(type='FastAttention').
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activations after lateral, up and smooth.
            Defaults to LeakyReLU with slope 0.01.
        init_cfg (dict, optional): Defaults to Kaiming normal (fan-in), slope
            1, for convolutions.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (64, 128, 256, 512),
                 out_channels: int = 128,
                 out_indices: Sequence[int] = (0, 2),
                 attention: dict = dict(type='FastAttention'),
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = LEAKY,
                 init_cfg: dict = KAIMING):
        super().__init__(init_cfg)
        in_channels = tuple(in_channels)
        out_indices = tuple(out_indices)
        valid = range(len(in_channels))
        if not out_indices or out_indices != tuple(
                sorted(set(out_indices).intersection(valid))):
            raise ValueError(f'out_indices must be ascending and within 0 to '
                             f'{len(valid) - 1}, got {out_indices}')
        self.in_channels = in_channels
        self.out_indices = out_indices
        self.first = out_indices[0]
        # stages keep the number that they have in the pyramid
        self.stages = nn.ModuleDict({
            str(i): FastAttentionStage(
                channels,
                up_channels=in_channels[i - 1] if i > self.first else 0,
                out_channels=out_channels if i in out_indices else 0,
                attention=attention,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg)
            for i, channels in enumerate(in_channels) if i >= self.first
        })

    def _check(self, feats: Sequence[Tensor]) -> None:
        channels = tuple(feat.shape[1] for feat in feats)
        if channels != self.in_channels:
            raise ValueError(f'in_channels is {self.in_channels}, the '
                             f'features have {channels}')

    def _cascade(self, feats: Sequence[Tensor],
                 attended: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """Fuse from deep to shallow.

        Args:
            feats (Sequence[Tensor]): Features, shallow to deep.
            attended (Sequence[Tensor]): What attention made of those from
                ``self.first`` on.

        Returns:
            tuple[Tensor]: See :meth:`forward`.
        """
        outs, deepest, deeper = [], None, None
        for i in range(len(feats) - 1, self.first - 1, -1):
            stage = self.stages[str(i)]
            fused = stage.fuse(feats[i], attended[i - self.first], deeper)
            if deepest is None:
                deepest = fused
            if i in self.out_indices:
                outs.append(stage.smooth(fused))
            if i > self.first:
                deeper = stage.up(fused)
        return (*reversed(outs), deepest)

    def forward(self, feats: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """Attend and fuse.

        Args:
            feats (Sequence[Tensor]): Features (N, C_i, H_i, W_i), shallow to
                deep, of any sizes.

        Returns:
            tuple[Tensor]: For each of ``out_indices`` an output (N,
            out_channels, H_i, W_i), then the deepest stage's feature after
            its attention, (N, C, H, W), as it is: it costs nothing and serves
            an auxiliary head.

        Raises:
            ValueError: If the features are not as ``in_channels`` says.
        """
        self._check(feats)
        attended = [
            self.stages[str(i)].attention(feats[i])
            for i in range(self.first, len(feats))
        ]
        return self._cascade(feats, attended)


class FastAttentionState(NamedTuple):
    """What :class:`TemporalFastAttentionNeck` remembers of a stream.

    Attributes:
        products (Tensor): Products of keys and values of the last frames,
            oldest first, those of all stages side by side: of shape
            (N, frames, c', sum of the stages' channels).
    """
    products: Tensor


@MODELS.register_module()
class TemporalFastAttentionNeck(FastAttentionNeck):
    """:class:`FastAttentionNeck` whose attention reaches into past frames.

    FANet+Temp (Eq. 4 to 6) of `Real-time Semantic Segmentation with Fast
    Attention <https://arxiv.org/abs/2007.03815>`_; feinanshan/FANet holds no
    code for it. Since the product of keys and values comes before the
    queries, a past frame is remembered as one c' x C matrix per stage,
    whatever its size, and added: Q^_T (M_T + M_T-1 + ...). The cost of a
    frame does not depend on the number of frames. The defaults are the
    published ones, t=2. Follows the code in not dividing by the number of
    positions, as the image network does; nothing divides by t either, so
    statistics must be learnt with the t that is used.

    Before ``num_frames - 1`` frames have been seen what is there is summed.
    Parameters are named as in :class:`FastAttentionNeck`, whose checkpoints
    load; with ``num_frames=1`` it is that neck.

    Args:
        num_frames (int): Frames in the window, t in the paper; the frame
            itself is one of them. Defaults to 2.
        in_channels (Sequence[int]): See :class:`FastAttentionNeck`, as all
            that follow.
        out_channels (int): Defaults to 128.
        out_indices (Sequence[int]): Defaults to (0, 2).
        attention (dict): A :class:`.FastAttention`; no other attention has a
            product to remember. Defaults to dict(type='FastAttention').
        norm_cfg (dict): Defaults to dict(type='BN').
        act_cfg (dict): Defaults to LeakyReLU with slope 0.01.
        init_cfg (dict, optional): Defaults to Kaiming normal.
    """

    stateful = True

    def __init__(self,
                 num_frames: int = 2,
                 in_channels: Sequence[int] = (64, 128, 256, 512),
                 out_channels: int = 128,
                 out_indices: Sequence[int] = (0, 2),
                 attention: dict = dict(type='FastAttention'),
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = LEAKY,
                 init_cfg: dict = KAIMING):
        if num_frames < 1:
            raise ValueError(f'num_frames is at least 1, got {num_frames}')
        super().__init__(in_channels, out_channels, out_indices, attention,
                         norm_cfg, act_cfg, init_cfg)
        layer = self.stages[str(self.first)].attention
        if not hasattr(layer, 'summarize'):
            raise ValueError(f'{type(layer).__name__} has no product of keys '
                             'and values to remember: attention must be a '
                             'FastAttention')
        self.num_frames = num_frames

    def _window(self, feats: Sequence[Tensor],
                state: Optional[FastAttentionState]) -> Tensor:
        """Products of past frames and this one, at most ``num_frames``.

        Returns:
            Tensor: Of shape (N, frames, c', sum of the stages' channels).
        """
        self._check(feats)
        # (N, 1, c', sum of C)
        now = torch.cat([
            stage.attention.summarize(x)
            for stage, x in zip(self.stages.values(), feats[self.first:])
        ], dim=2).unsqueeze(1)
        if state is None:
            return now
        past = state.products
        if past.shape[:1] + past.shape[2:] != now.shape[:1] + now.shape[2:]:
            raise ValueError(
                f'the state is of {tuple(past.shape)}, this neck and batch '
                f"need (N, frames, c', C) = ({now.shape[0]}, any, "
                f'{now.shape[2]}, {now.shape[3]}). State belongs to one neck '
                'and one batch of streams')
        return torch.cat((past, now), dim=1)[:, -self.num_frames:]

    def _kept(self, window: Tensor) -> FastAttentionState:
        """All but the frame that the next one will not see."""
        first = max(window.shape[1] - self.num_frames + 1, 0)
        return FastAttentionState(window[:, first:])

    def remember(
        self,
        feats: Sequence[Tensor],
        state: Optional[FastAttentionState] = None
    ) -> FastAttentionState:
        """The state after a frame whose outputs nobody wants.

        Args:
            feats (Sequence[Tensor]): Features of the frame, shallow to deep.
            state (FastAttentionState, optional): See :meth:`forward`.

        Returns:
            FastAttentionState: As :meth:`forward` returns it.
        """
        return self._kept(self._window(feats, state))

    def forward(
        self,
        feats: Sequence[Tensor],
        state: Optional[FastAttentionState] = None
    ) -> Tuple[Tuple[Tensor, ...], FastAttentionState]:
        """One frame of each of N streams.

        Args:
            feats (Sequence[Tensor]): Features of the frame, shallow to deep.
            state (FastAttentionState, optional): What the call for the frame
                before returned; None for the first frame of a stream.

        Returns:
            tuple: The outputs of :class:`FastAttentionNeck`, and the state
            for the next frame, with at most ``num_frames - 1`` frames.

        Raises:
            ValueError: If features or state are not of this neck's shapes.
        """
        window = self._window(feats, state)
        total = window[:, 0] if window.shape[1] == 1 else window.sum(dim=1)
        products = total.split(self.in_channels[self.first:], dim=2)
        attended = [
            stage.attention.attend(
                stage.attention.project_query(x), product, x.shape[2:])
            for stage, product, x in zip(self.stages.values(), products,
                                         feats[self.first:])
        ]
        return self._cascade(feats, attended), self._kept(window)

    def empty_state(self, feats: Sequence[Tensor]) -> FastAttentionState:
        """The state before the first frame, of the shape of a full one.

        Args:
            feats (Sequence[Tensor]): As of :meth:`forward`.

        Returns:
            FastAttentionState: All zero, which adds nothing.
        """
        now = self._window(feats, None)
        n, _, *shape = now.shape
        return FastAttentionState(
            now.new_zeros(n, self.num_frames - 1, *shape))

    def fixed_step(
        self, feats: Sequence[Tensor], state: FastAttentionState
    ) -> Tuple[Tuple[Tensor, ...], FastAttentionState]:
        """:meth:`forward` in constant shapes: one graph for every frame.

        Args:
            feats (Sequence[Tensor]): As of :meth:`forward`.
            state (FastAttentionState): From :meth:`empty_state` or the call
                for the frame before.

        Returns:
            tuple: As of :meth:`forward`.
        """
        return self.forward(feats, FastAttentionState(*state))
