"""Trained networks that the package brings, by name.

Each is a folder of ``rtseg_plugin/weights``: ``model.safetensors`` (backbone,
neck and head in float16, norms in float32), ``config.py`` (the model for
inference and its test pipeline) and ``model_card.md`` (data, command, results,
limits).
"""
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Dict, NamedTuple

import torch
from torch import Tensor

# of an address that mmengine loads: 'rtseg_plugin://sctnet-s-street'
SCHEME = 'rtseg_plugin://'
WEIGHTS = Path(__file__).resolve().parent.parent / 'weights'


class PackagedNetwork(NamedTuple):
    """Files of a trained network.

    Attributes:
        name (str): As it is asked for.
        config (Path): Its config.
        weights (Path): Its tensors.
        card (Path): What it is, and what it is not for.
    """

    name: str
    config: Path
    weights: Path
    card: Path


def packaged_networks() -> Dict[str, PackagedNetwork]:
    """All that the package brings, by name."""
    return {
        path.parent.name: PackagedNetwork(
            path.parent.name, path.parent / 'config.py', path,
            path.parent / 'model_card.md')
        for path in sorted(WEIGHTS.glob('*/model.safetensors'))
    }


def find(name: str) -> PackagedNetwork:
    """A trained network of the package.

    Args:
        name (str): Such as 'sctnet-s-street'.

    Returns:
        PackagedNetwork: Where its files are.

    Raises:
        FileNotFoundError: If there is none of this name; lists those there
            are.
    """
    networks = packaged_networks()
    if name in networks:
        return networks[name]
    near = get_close_matches(name, networks, n=1)
    raise FileNotFoundError(
        f'{name!r} is no network that rtseg_plugin brings; '
        + (f'did you mean {near[0]!r}? ' if near else '')
        + f'There are: {", ".join(networks) or "none"}')


def load_tensors(network: PackagedNetwork) -> Dict[str, Tensor]:
    """Read the weights.

    Args:
        network (PackagedNetwork): Of :func:`find`.

    Returns:
        dict[str, Tensor]: The state dict; numbers in float32.
    """
    from safetensors.torch import load_file
    return {
        key: value.float() if value.dtype == torch.float16 else value
        for key, value in load_file(network.weights).items()
    }


def load_from_package(filename: str, map_location: Any = None) -> dict:
    """Loader of ``rtseg_plugin://NAME`` for mmengine's ``CheckpointLoader``.

    Args:
        filename (str): The address.
        map_location (Any): As in ``torch.load``; the tensors are on the CPU,
            wherever that is.

    Returns:
        dict: With the ``state_dict``.

    Raises:
        FileNotFoundError: If there is no such network.
    """
    return dict(state_dict=load_tensors(find(filename[len(SCHEME):])))
