"""Exported networks against eager PyTorch, on frames."""
from typing import NamedTuple, Sequence, Tuple

import cv2
import numpy as np
import torch
from torch import nn

from ..apis.deployed import DeployedNetwork
from ..models.inference import upsample_logits
from .graph import Normalisation, normalise


class Comparison(NamedTuple):
    """How far an exported network is from eager.

    Attributes:
        height (int): Of the frames.
        width (int): Of the frames.
        frames (int): How many there were, of one stream.
        difference (float): The largest, as a share of the largest logit. Of
            labels, the largest lead in eager of a class that lost.
        labels (float): Share of pixels with another label.
    """
    height: int
    width: int
    frames: int
    difference: float
    labels: float

    def __str__(self) -> str:
        frames = f' over {self.frames} frames' if self.frames > 1 else ''
        return (f'{self.height}x{self.width}{frames}: largest difference '
                f'{self.difference:.1e} of the largest logit, '
                f'{self.labels:.3%} of the pixels have another label')


def example_frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A frame of coloured patches and noise, (H, W, 3), uint8."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (5, 9, 3), np.uint8)
    frame = cv2.resize(
        patches, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(-20, 21, frame.shape)
    return np.clip(frame.astype(np.int64) + noise, 0, 255).astype(np.uint8)


def _normalised(deployed: DeployedNetwork, frame: np.ndarray) -> torch.Tensor:
    """The frame for the eager network, whoever normalises when deployed."""
    how = Normalisation(*(deployed.metadata[name]
                          for name in Normalisation._fields))
    return torch.from_numpy(normalise(frame, how))


def _differences(deployed: DeployedNetwork, output: np.ndarray,
                 logits: torch.Tensor,
                 size: Tuple[int, int]) -> Tuple[float, float]:
    """Of one frame: of the logits, and the share of other labels."""
    kind = deployed.metadata['output']
    with torch.no_grad():
        resized = upsample_logits(logits, size, kind['align_corners'])[0]
    if len(resized) == 1:
        threshold = torch.tensor(kind['threshold']).logit()
        resized = torch.cat((torch.full_like(resized, threshold), resized))
    best, want = resized.max(0)
    labels = torch.from_numpy(
        deployed.labels(output, size).astype(np.int64))
    other = float((labels != want).float().mean())
    largest = logits.abs().max()
    if kind['kind'] == 'logits':
        error = (torch.from_numpy(output) - logits[0]).abs().max()
    else:
        error = (best - resized.gather(0, labels[None])[0]).max()
    return float(error / largest), other


def compare_step(deployed: DeployedNetwork, eager: nn.Module,
                 frame: np.ndarray) -> Comparison:
    """Of a network without memory, on one frame.

    Args:
        deployed (DeployedNetwork): What was exported.
        eager (InferenceGraph): With logits out.
        frame (np.ndarray): (H, W, 3), uint8, BGR.

    Returns:
        Comparison: How far they are apart.
    """
    size = frame.shape[:2]
    output, _ = deployed.run(frame)
    with torch.no_grad():
        logits = eager(_normalised(deployed, frame))[0]
    return Comparison(*size, 1, *_differences(deployed, output, logits, size))


def compare_stream(deployed: DeployedNetwork,
                   segmentor: nn.Module,
                   frames: Sequence[np.ndarray]) -> Comparison:
    """Of a network with memory, on a stream from its first frame on.

    Args:
        deployed (DeployedNetwork): What was exported.
        segmentor (nn.Module): A :class:`.VideoEncoderDecoder`.
        frames (Sequence[np.ndarray]): The stream, each (H, W, 3), uint8, BGR.

    Returns:
        Comparison: The largest of all frames.
    """
    state = eager_state = None
    difference = labels = 0.
    size = frames[0].shape[:2]
    for frame in frames:
        output, state = deployed.run(frame, state)
        with torch.no_grad():
            image = _normalised(deployed, frame)
            features, eager_state = segmentor.neck(
                segmentor.backbone(image), eager_state)
            logits = segmentor.decode_head(features)
        one, other = _differences(deployed, output, logits, size)
        difference, labels = max(difference, one), max(labels, other)
    return Comparison(*size, len(frames), difference, labels)
