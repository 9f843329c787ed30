"""Telling a checkpoint of another network before it is half loaded."""
from typing import Dict, Optional, Sequence

from torch import Tensor, nn

# What inference needs. Auxiliary heads and projections may be absent.
INFERENCE_PARTS = ('backbone', 'neck', 'decode_head')
# What usually starts at random.
HEADS = ('decode_head', 'auxiliary_head', 'alignments')


def _without_wrapper(state_dict: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Keys as they were before DDP's prefix."""
    return {k.removeprefix('module.'): v for k, v in state_dict.items()}


def check_any_fits(model: nn.Module, state_dict: Dict[str, Tensor],
                   source: str) -> None:
    """Raise if no tensor of a state dict fits a model.

    Args:
        model (nn.Module): The segmentor.
        state_dict (dict[str, Tensor]): What is to be loaded.
        source (str): File name for the error message.

    Raises:
        RuntimeError: If nothing would be loaded; with a few names of both.
    """
    own, given = model.state_dict(), _without_wrapper(state_dict)
    if any(key in own and value.shape == own[key].shape
           for key, value in given.items()):
        return
    raise RuntimeError(
        f'checkpoint {source} is not of this model: none of its {len(given)} '
        f'tensors {list(given)[:3]} fits one of the {len(own)} of the model '
        f'{list(own)[:3]}')


def what_starts_at_random(module: nn.Module,
                          state_dict: Dict[str, Tensor]) -> Optional[str]:
    """Say what start weights leave at random, besides heads.

    Args:
        module (nn.Module): What they are loaded into, a segmentor or a part.
        state_dict (dict[str, Tensor]): The start weights.

    Returns:
        str | None: With the counts of tensors and numbers; None if all that
        is not in a head is filled.
    """
    given = _without_wrapper(state_dict)
    needed = {
        key: value
        for key, value in module.state_dict().items()
        if key.split('.')[0] not in HEADS
        and not key.endswith('num_batches_tracked')
    }
    random = [
        key for key, value in needed.items()
        if key not in given or given[key].shape != value.shape
    ]
    if not random:
        return None
    numbers = sum(needed[key].numel() for key in random)
    total = sum(value.numel() for value in needed.values())
    return (f'{len(random)} of {len(needed)} tensors, {numbers / 1e6:.3g} of '
            f'{total / 1e6:.3g} million numbers, start at random: '
            f'{", ".join(random[:3])}{", ..." if random[3:] else ""}')


def check_state_dict(model: nn.Module,
                     state_dict: Dict[str, Tensor],
                     source: str,
                     parts: Optional[Sequence[str]] = INFERENCE_PARTS) -> None:
    """Raise unless a state dict fills the inference part of a segmentor.

    mmengine loads what fits and warns of the rest, so that a checkpoint of
    another network yields a random one.

    Args:
        model (nn.Module): The segmentor.
        state_dict (dict[str, Tensor]): What is to be loaded.
        source (str): File name for the error message.
        parts (Sequence[str], optional): What has to be filled; None stands
            for all of the model. Defaults to backbone, neck and decode head.

    Raises:
        RuntimeError: If a tensor of these parts is missing or has another
            shape; with the counts, and the class counts.
    """
    needed = {
        key: value
        for key, value in model.state_dict().items()
        if (parts is None or key.split('.')[0] in parts)
        and not key.endswith('num_batches_tracked')
    }
    given = _without_wrapper(state_dict)
    missing = [key for key in needed if key not in given]
    shapes = [
        f'{key} {tuple(given[key].shape)}, needed {tuple(value.shape)}'
        for key, value in needed.items()
        if key in given and given[key].shape != value.shape
    ]
    if not missing and not shapes:
        return
    hint = ''
    classifiers = [s for s in shapes if 'conv_seg' in s]
    if classifiers and not missing and len(classifiers) == len(shapes):
        hint = (' The network is the same but the number of classes differs: '
                "set num_classes of the config's heads, or use the config "
                'that this checkpoint was trained with.')
    raise RuntimeError(
        f'checkpoint {source} is not of this model: of {len(needed)} tensors '
        f'of {", ".join(parts or ["the model"])} {len(missing)} are missing '
        f'{missing[:3]} and {len(shapes)} have another shape {shapes[:3]}.'
        f'{hint}')
