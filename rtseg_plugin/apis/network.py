"""A segmentor as a plain network: images in, logits of their size out."""
from copy import deepcopy
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS, TRANSFORMS
from torch import Tensor, nn

from ..models.inference import resize_logits
from ..utils import packaged_weights
from ..utils.checkpoint_check import check_state_dict
from ..utils.host_tools import load_config
from ..utils.safe_load import safe_torch_load
from .resize import Resize

# frames after which a state that still grows is taken for one without bound
LONGEST_MEMORY = 256


class LogitsNetwork(nn.Module):
    """Backbone, neck and head of a segmentor, and the resize of the logits.

    What is benchmarked and counted, and the core of what is exported (see
    :class:`.InferenceGraph`). Auxiliary heads, alignments, the data
    preprocessor and everything per image are left out.

    Args:
        segmentor (nn.Module): An ``EncoderDecoder`` or one derived from it.
    """

    def __init__(self, segmentor: nn.Module):
        super().__init__()
        self.backbone = segmentor.backbone
        if segmentor.with_neck:
            self.neck = segmentor.neck
        self.decode_head = segmentor.decode_head
        # past nn.Module, which would register it with all that is left out
        object.__setattr__(self, '_segmentor', segmentor)

    def forward(self, x: Tensor) -> Tensor:
        """Segment.

        Args:
            x (Tensor): Normalised images (N, 3, H, W).

        Returns:
            Tensor: Logits (N, num_classes, H, W).
        """
        logits = self._segmentor(x, mode='tensor')
        return resize_logits(self.decode_head, logits, x.shape[2:])


def full_memory(segmentor: nn.Module, x: Tensor) -> Tuple[Any, int]:
    """State of a stream that has run until its memory is full.

    Args:
        segmentor (nn.Module): A :class:`.VideoEncoderDecoder` whose neck
            remembers.
        x (Tensor): Frames (N, 3, H, W) that fill the memory.

    Returns:
        tuple[NamedTuple, int]: The state, and how many frames a clip has
        whose last frame is the first to read a full memory.

    Raises:
        ValueError: If the state still grows after ``LONGEST_MEMORY`` frames.
    """
    size: Optional[list] = None
    state: Any = None
    with torch.inference_mode():
        for frames in range(LONGEST_MEMORY + 1):
            _, state = segmentor.step(x, state)
            before, size = size, [part.shape for part in state]
            if size == before:
                return state, frames + 1
    raise ValueError(
        f'the state of {type(segmentor.neck).__name__} still grows after '
        f'{LONGEST_MEMORY} frames: {[tuple(x) for x in size or ()]}. The '
        'state of a neck that remembers has to be bounded')


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
                   device: str = 'cpu',
                   cfg_options: Optional[dict] = None) -> nn.Module:
    """Build a segmentor for inference.

    Args:
        config (str | Path | Config): A config, its path, the name of a
            recipe or of a network that the package brings trained, such as
            'sctnet-s-street'.
        checkpoint (str, optional): A file; None keeps the initial weights,
            or loads those of the package.
        device (str): Where it goes. Defaults to 'cpu'.
        cfg_options (dict, optional): Overrides of the config.

    Returns:
        nn.Module: In eval mode, SyncBN turned into BN. Its ``dataset_meta``
        holds ``classes`` and ``palette`` where the checkpoint's meta, or else
        the config's data set, names as many classes as it has.

    Raises:
        FileNotFoundError: If there is no such config, or no such checkpoint.
        RuntimeError: If the checkpoint is not of this model, or unreadable;
            if there is no such GPU.
    """
    where = torch.device(device)
    if where.type == 'cuda' and (where.index or 0) >= (
            torch.cuda.device_count()):
        raise RuntimeError(
            f'there is no device {device!r}, of {torch.cuda.device_count()} '
            'GPUs that PyTorch finds here: cpu runs everywhere')
    packaged = packaged_weights.packaged_networks().get(str(config))
    if isinstance(config, (str, Path)):
        config = load_config(config, cfg_options)
    elif cfg_options:
        config = deepcopy(config)
        config.merge_from_dict(cfg_options)
    init_default_scope(config.get('default_scope', 'mmseg'))
    # initial weights come from constructors, never from a download
    model_config = deepcopy(config.model)  # the caller's stays as it is
    model_config.train_cfg = None
    model = revert_sync_batchnorm(MODELS.build(model_config))
    loaded: dict = {}
    if checkpoint is not None:
        loaded = safe_torch_load(checkpoint, 'cpu')
        state_dict = loaded.get('state_dict', loaded)
        check_state_dict(model, state_dict, checkpoint)
        model.load_state_dict(state_dict, strict=False)
    elif packaged is not None:
        model.load_state_dict(packaged_weights.load_tensors(packaged))
    model.dataset_meta = _dataset_meta(config, loaded, model)
    return model.to(where).eval()


def _dataset_meta(config: Config, loaded: dict, model: nn.Module) -> dict:
    """Names and colours of the classes, as far as they are known.

    One map more than the data set has classes, as ERFNet's official code has
    one for unlabelled pixels, is named 'unlabelled' and black.
    """
    meta = loaded.get('meta')
    found = meta.get('dataset_meta') if isinstance(meta, dict) else None
    if not (isinstance(found, dict) and found.get('classes')):
        dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
        while 'dataset' in dataset:  # of a wrapper
            dataset = dataset['dataset']
        try:
            kind = DATASETS.get(dataset['type'])
        except (KeyError, RuntimeError):  # none, or not one that is installed
            kind = None
        known = getattr(kind, 'METAINFO', None) or {}
        found = {**known, **(dataset.get('metainfo') or {})}
        found['palette'] = _palette_of(found, known.get('classes') or ())
    classes, palette = found.get('classes'), found.get('palette')
    count = getattr(model, 'num_classes', None)
    if not classes or count is None or count - len(classes) not in (0, 1):
        return {}
    spare = count - len(classes)
    palette = [*(palette or ()), *[[0, 0, 0]] * spare]
    return dict(
        classes=[*classes, *['unlabelled'] * spare],
        palette=palette if len(palette) == count else None)


def _palette_of(meta: dict, known: Sequence[str]) -> Any:
    """Colours of some of a data set's classes, picked as the host does."""
    classes, palette = meta.get('classes') or (), meta.get('palette') or ()
    if (len(known) == len(palette) > len(classes)
            and set(classes) <= set(known)):
        return [palette[list(known).index(name)] for name in classes]
    return palette


def resize_steps(config: Config) -> Iterator[dict]:
    """Each ``Resize`` of a config's test pipeline, within others too."""
    steps = list(config.get('test_pipeline') or [])
    while steps:
        step = steps.pop(0)
        steps = list(step.get('transforms') or []) + steps
        if step['type'] == 'Resize':
            yield step


def test_resize(config: Config) -> Optional[Resize]:
    """The first ``Resize`` of a config's test pipeline, if any."""
    step = next(resize_steps(config), None)
    if step is None:
        return None
    built = TRANSFORMS.build(step)
    return Resize(*(getattr(built, name) for name in Resize._fields))
