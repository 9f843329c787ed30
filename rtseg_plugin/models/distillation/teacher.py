"""A network that exists only while another one trains."""
import logging
from typing import Dict, List, Optional, Sequence, Union

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.logging import print_log
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.registry import MODELS
from torch import Tensor, nn

from .taps import Tap, parse_tap, record

RANDOM = 'random'


class Teacher:
    """Holder of a frozen segmentor, built from its config when first needed.

    It is no ``nn.Module``, so the network inside is in no state dict, no
    optimiser, no EMA copy and no DDP reducer of the student that owns the
    holder. The network is in eval mode and without gradients, always. Copies
    of the holder share it, since nothing ever changes it.

    Args:
        config (dict | str): Config of the model (host's or own type), or the
            path of a config file with an entry ``model``. A name of the form
            ``mmseg::segformer/...py`` works as in ``_base_``.
        checkpoint (str): Its checkpoint. The word 'random' asks for a random
            network, for tests and speed measurements.

    Raises:
        ValueError: If no checkpoint is given.
    """

    def __init__(self,
                 config: Union[dict, str],
                 checkpoint: Optional[str] = None):
        if not checkpoint:
            raise ValueError(
                'model.teacher needs a checkpoint, got none. Set '
                'model.teacher.checkpoint to the file of a trained teacher '
                f'(or to the word {RANDOM!r} for an untrained one)')
        self.config = config
        self.checkpoint = checkpoint
        self._network: Optional[nn.Module] = None

    def __deepcopy__(self, memo: dict) -> 'Teacher':
        return self

    @property
    def is_built(self) -> bool:
        """Whether the network exists."""
        return self._network is not None

    def network(self) -> nn.Module:
        """The frozen segmentor; built and loaded by the first call.

        Raises:
            FileNotFoundError: If the checkpoint does not exist.
            RuntimeError: If its tensors are not those of the network.
        """
        if self._network is None:
            network = self._build()
            if self.checkpoint != RANDOM:
                self._load(network)
            else:
                print_log(
                    'The teacher is random, as the config asks.',
                    logger='current',
                    level=logging.WARNING)
            self._network = network.requires_grad_(False).eval()
        return self._network

    def _model_config(self) -> dict:
        config = self.config
        if isinstance(config, str):
            load = get_config if '::' in config else Config.fromfile
            config = load(config).model
        config = Config(dict(model=config)).model  # a copy
        # A teacher segments, nothing else: what only trains it goes.
        config.pop('auxiliary_head', None)
        config.pop('pretrained', None)
        return config

    def _build(self) -> nn.Module:
        # The student's random numbers must not depend on the teacher's.
        state = torch.get_rng_state()
        torch.default_generator.manual_seed(0)
        try:
            network = MODELS.build(self._model_config())
        finally:
            torch.set_rng_state(state)
        # running statistics only, so SyncBN would be a BN without a CPU form
        return revert_sync_batchnorm(network)

    def _load(self, network: nn.Module) -> None:
        loaded = CheckpointLoader.load_checkpoint(
            self.checkpoint, map_location='cpu', logger='current')
        state = loaded.get('state_dict', loaded)
        state = {
            key: value
            for key, value in state.items()
            if not key.startswith(('auxiliary_head.', 'data_preprocessor.'))
        }
        own = network.state_dict()
        missing = [key for key in own if key not in state]
        unexpected = [key for key in state if key not in own]
        shapes = [
            f'{key} {tuple(value.shape)}, needed {tuple(own[key].shape)}'
            for key, value in state.items()
            if key in own and value.shape != own[key].shape
        ]
        # counters of batches that older files lack decide nothing
        missing = [k for k in missing if not k.endswith('num_batches_tracked')]
        if missing or unexpected or shapes:
            raise RuntimeError(
                f'The teacher checkpoint {self.checkpoint} does not fit '
                f'model.teacher.config: of {len(own)} tensors {len(missing)} '
                f'are missing {missing[:3]}, {len(unexpected)} unexpected '
                f'{unexpected[:3]}, {len(shapes)} of another shape '
                f'{shapes[:3]}. An official SCTNet or MMSegmentation 0.x file '
                'is converted first (tools/model_converters/sctnet2mmseg.py '
                '--keep teacher)')
        network.load_state_dict(state, strict=False)
        print_log(
            f'Teacher: all {len(own)} tensors loaded from {self.checkpoint}',
            logger='current')

    def check_preprocessing(self, student: nn.Module) -> None:
        """Raise if the teacher wants images of another normalisation.

        Args:
            student (nn.Module): Data preprocessor of the student, whose
                output the teacher receives.

        Raises:
            ValueError: If both normalise, and not alike.
        """
        teacher = self.network().data_preprocessor
        if not (getattr(teacher, '_enable_normalize', False)
                and getattr(student, '_enable_normalize', False)):
            return
        for name in ('mean', 'std'):
            own = getattr(teacher, name).flatten().tolist()
            given = getattr(student, name).flatten().tolist()
            if own != given:
                raise ValueError(
                    f'The teacher receives the images of the student, but '
                    f'normalises with {name} {own}, the student with {given}: '
                    'give both the same data_preprocessor, or leave it out '
                    'of model.teacher.config if the teacher was trained so')

    def parse_taps(self, names: Sequence[str]) -> List[Tap]:
        """Look tensor names up in the network."""
        return [parse_tap(n, self.network(), 'teacher') for n in names]

    def module(self, path: str) -> nn.Module:
        """A module of the network, for a pass with a gradient."""
        parse_tap(path, self.network(), 'teacher')
        return self.network().get_submodule(path)

    def forward(self, inputs: Tensor,
                taps: Sequence[Tap]) -> Dict[str, Tensor]:
        """Run the teacher and read tensors, without any gradient.

        Args:
            inputs (Tensor): The student's images, (N, 3, H, W).
            taps (Sequence[Tap]): What to read.

        Returns:
            dict[str, Tensor]: The tensors by tap name.
        """
        network = self.network()
        if next(network.parameters()).device != inputs.device:
            network.to(inputs.device)
        with torch.inference_mode(), record(network, taps,
                                            'teacher') as tensors:
            network(inputs, mode='tensor')
        # an inference tensor must not enter a graph; a copy may
        return {name: tensor.clone() for name, tensor in tensors.items()}
