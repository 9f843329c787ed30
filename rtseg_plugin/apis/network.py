"""A segmentor as a plain network: images in, logits of their size out."""
from pathlib import Path
from typing import Any, Optional, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..models.layers.eager_inference import upsample_logits
from ..utils.checkpoint_check import check_state_dict
from ..utils.host_tools import resolve_config
from ..utils.safe_load import safe_torch_load


class LogitsNetwork(nn.Module):
    """Backbone, neck and head of a segmentor, and the resize of the logits.

    What is benchmarked, counted and exported. Auxiliary heads, alignments,
    the data preprocessor and everything per image are left out.

    Args:
        segmentor (nn.Module): An ``EncoderDecoder`` or one derived from it.
    """

    def __init__(self, segmentor: nn.Module):
        super().__init__()
        self.backbone = segmentor.backbone
        if segmentor.with_neck:
            self.neck = segmentor.neck
        self.decode_head = segmentor.decode_head
        # bound method; registered as a plain attribute, not as a submodule
        object.__setattr__(self, '_segmentor', segmentor)

    def forward(self, x: Tensor) -> Tensor:
        """Segment.

        Args:
            x (Tensor): Normalised images (N, 3, H, W).

        Returns:
            Tensor: Logits (N, num_classes, H, W).
        """
        logits = self._segmentor(x, mode='tensor')
        return upsample_logits(logits, x.shape[2:],
                               self._segmentor.align_corners)


def full_memory(segmentor: nn.Module, x: Tensor) -> Tuple[Any, int]:
    """State of a stream that has run until its memory is full.

    Args:
        segmentor (nn.Module): A :class:`.VideoEncoderDecoder` whose neck
            remembers.
        x (Tensor): Frames (N, 3, H, W) that fill the memory.

    Returns:
        tuple[NamedTuple, int]: The state, and how many frames a clip has
        whose last frame is the first to read a full memory.
    """
    size, state, frames = None, None, 0
    with torch.inference_mode():
        while size is None or size != [part.shape for part in state]:
            size = None if state is None else [p.shape for p in state]
            _, state = segmentor.step(x, state)
            frames += 1
    return state, frames


class StreamNetwork(LogitsNetwork):
    """One frame of a stream whose memory is full, for a video segmentor.

    What a frame costs once a stream runs; its first frames cost less.

    Args:
        segmentor (nn.Module): A :class:`.VideoEncoderDecoder` whose neck
            remembers.
        x (Tensor): Frames (N, 3, H, W) that fill the memory.
    """

    def __init__(self, segmentor: nn.Module, x: Tensor):
        super().__init__(segmentor)
        self._state, _ = full_memory(segmentor, x)

    def forward(self, x: Tensor) -> Tensor:
        """Segment the next frame of each stream.

        Args:
            x (Tensor): Normalised frames (N, 3, H, W).

        Returns:
            Tensor: Logits (N, num_classes, H, W).
        """
        return self._segmentor.step(x, self._state)[0]


def frame_network(segmentor: nn.Module, x: Tensor) -> LogitsNetwork:
    """What is timed and counted: an image, or a frame of a running stream.

    Args:
        segmentor (nn.Module): An ``EncoderDecoder`` or one derived from it.
        x (Tensor): Images or frames (N, 3, H, W).

    Returns:
        LogitsNetwork: A :class:`StreamNetwork` if the segmentor remembers.
    """
    if getattr(segmentor, 'stateful', False):
        return StreamNetwork(segmentor, x)
    return LogitsNetwork(segmentor)


def load_segmentor(config: Union[str, Path, Config],
                   checkpoint: Optional[str] = None,
                   device: str = 'cpu') -> nn.Module:
    """Build a segmentor for inference.

    Args:
        config (str | Path | Config): A config, its path or the name of a
            recipe.
        checkpoint (str, optional): A file; None keeps the initial weights.
        device (str): Where it goes. Defaults to 'cpu'.

    Returns:
        nn.Module: In eval mode, SyncBN turned into BN.

    Raises:
        FileNotFoundError: If there is no such config, or no such checkpoint.
        RuntimeError: If the checkpoint is not of this model, or unreadable.
    """
    if isinstance(config, (str, Path)):
        config = Config.fromfile(resolve_config(str(config)))
    init_default_scope(config.get('default_scope', 'mmseg'))
    # initial weights come from constructors, never from a download
    config.model.train_cfg = None
    model = revert_sync_batchnorm(MODELS.build(config.model))
    if checkpoint is not None:
        loaded = safe_torch_load(checkpoint, 'cpu')
        state_dict = loaded.get('state_dict', loaded)
        check_state_dict(model, state_dict, checkpoint)
        model.load_state_dict(state_dict, strict=False)
    return model.to(torch.device(device)).eval()
