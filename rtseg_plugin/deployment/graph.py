"""A segmentor as one step of plain tensors, the form that exporters take."""
from typing import NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor, nn

from ..apis.torch_network import only_resizes
from ..models.inference import upsample_logits
from ..utils.deployed_folder import DeploymentError

GRAPH_OUTPUTS = ('logits', 'labels', 'resized')


class Normalisation(NamedTuple):
    """What turns a frame, uint8 BGR, into the network's input.

    Attributes:
        mean (list[float]): Of each channel of the input.
        std (list[float]): Of each channel of the input.
        channel_order (str): Of the input, 'rgb' or 'bgr'.
    """
    mean: list
    std: list
    channel_order: str


def normalisation_of(segmentor: nn.Module) -> Normalisation:
    """What a segmentor's data preprocessor does to a frame.

    Args:
        segmentor (nn.Module): An ``EncoderDecoder`` or one derived from it.

    Returns:
        Normalisation: Mean 0 and deviation 1 where it does nothing.
    """
    preprocessor = segmentor.data_preprocessor
    mean, std = [0.] * 3, [1.] * 3
    if hasattr(preprocessor, 'mean'):
        # 123.675, not the nearest float32 written out
        mean, std = ([
            float(str(np.float32(x))) for x in value.flatten().tolist()
        ] for value in (preprocessor.mean, preprocessor.std))
    order = 'rgb' if getattr(preprocessor, 'channel_conversion',
                             False) else 'bgr'
    return Normalisation(mean, std, order)


def normalise(frame: np.ndarray, how: Normalisation) -> np.ndarray:
    """A frame (H, W, 3), uint8, BGR, as (1, 3, H, W), float32."""
    if how.channel_order == 'rgb':
        frame = frame[..., ::-1]
    image = (frame.astype(np.float32) - np.float32(how.mean)) / np.float32(
        how.std)
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None])


def denormalise(image: np.ndarray, how: Normalisation) -> np.ndarray:
    """The frame of which :func:`normalise` made an image."""
    frame = image[0].transpose(1, 2, 0) * np.float32(how.std) + np.float32(
        how.mean)
    frame = np.clip(frame.round(), 0, 255).astype(np.uint8)
    return frame[..., ::-1] if how.channel_order == 'rgb' else frame


class InferenceGraph(nn.Module):
    """One step of a segmentor: an image and the state's fields, in and out.

    Backbone, neck and decode head alone. A neck that remembers is run in its
    form of constant shapes (``fixed_step`` and ``empty_state``, see
    :class:`.LocalMemoryAttention`).

    Args:
        segmentor (nn.Module): An ``EncoderDecoder`` or one derived from it,
            in eval mode.
        output (str): 'logits' at the head's stride; 'labels' of the size of
            the image, the argmax of the resized logits; 'resized' logits of
            the size of the image.
        normalisation (Normalisation, optional): Makes the graph take frames
            (N, H, W, 3), uint8, BGR. Defaults to None: it takes normalised
            images (N, 3, H, W).

    Raises:
        DeploymentError: If the neck remembers and cannot be exported, or the
            head is one that does more in a test than to give logits.
    """

    def __init__(self,
                 segmentor: nn.Module,
                 output: str = 'logits',
                 normalisation: Optional[Normalisation] = None):
        super().__init__()
        if output not in GRAPH_OUTPUTS:
            raise ValueError(
                f'output is one of {GRAPH_OUTPUTS}, got {output!r}')
        self.stateful = getattr(segmentor, 'stateful', False)
        self.backbone = segmentor.backbone
        self.decode_head = segmentor.decode_head
        self.neck = segmentor.neck if segmentor.with_neck else None
        if self.stateful and not hasattr(self.neck, 'fixed_step'):
            raise DeploymentError(
                f'{type(self.neck).__name__} remembers frames and cannot be '
                'exported: it has no empty_state(features) and '
                'fixed_step(features, state), its step in constant shapes')
        if not only_resizes(self.decode_head):
            raise DeploymentError(
                f'{type(self.decode_head).__name__} does more in a test than '
                'to resize its logits: such a head cannot be exported')
        self.align_corners = segmentor.align_corners
        self.output = output
        self.normalisation = normalisation
        if normalisation is not None:
            for name in ('mean', 'std'):
                value = torch.tensor(getattr(normalisation, name))
                self.register_buffer(name, value.view(1, -1, 1, 1))

    def empty_state(self, image: Tensor) -> tuple:
        """State before the first of frames like this one.

        Args:
            image (Tensor): As of :meth:`forward`.

        Returns:
            NamedTuple: Its fields name the state; empty without memory.
        """
        if not self.stateful:
            return ()
        with torch.no_grad():
            return self.neck.empty_state(self.backbone(self._enter(image)))

    def _enter(self, image: Tensor) -> Tensor:
        if self.normalisation is None:
            return image
        image = image.permute(0, 3, 1, 2)  # (N, H, W, 3) -> (N, 3, H, W)
        if self.normalisation.channel_order == 'rgb':
            image = image.flip(1)
        return (image.float() - self.mean) / self.std

    def forward(self, image: Tensor, *state: Tensor) -> Tuple[Tensor, ...]:
        """One step.

        Args:
            image (Tensor): Normalised images (N, 3, H, W), or frames
                (N, H, W, 3), see ``normalisation``.
            *state (Tensor): The fields of the state, if any.

        Returns:
            tuple[Tensor]: Logits (N, C, h, w) or (N, C, H, W), or labels
            (N, H, W), then the fields of the next state.
        """
        image = self._enter(image)
        features = self.backbone(image)
        if self.stateful:
            features, state = self.neck.fixed_step(features, state)
        elif self.neck is not None:
            features = self.neck(features)
        logits = self.decode_head(features)
        if self.output == 'logits':
            return (logits, *state)
        logits = upsample_logits(logits, image.shape[2:], self.align_corners)
        if self.output == 'resized':
            return (logits, *state)
        if logits.shape[1] == 1:  # as the host's postprocess_result
            labels = logits[:, 0].sigmoid() > self.decode_head.threshold
        else:
            labels = logits.argmax(1)
        if logits.shape[1] <= 256:
            labels = labels.to(torch.uint8)
        return (labels, *state)
