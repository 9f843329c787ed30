"""A network that exists only while another one trains."""
import logging
from contextlib import nullcontext
from typing import Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.logging import print_log
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...utils.bfloat16 import computes_in_bfloat16
from .taps import Tap, parse_tap, record

RANDOM = 'random'


def _scores(message_hub: Optional[dict]) -> Dict[str, float]:
    """Last values of what mmengine logged of validations."""
    logged = (message_hub or {}).get('log_scalars', {})
    return {
        name[len('val/'):]: float(history.current())
        for name, history in logged.items()
        if name.startswith('val/') and len(history.data[0])
    }


def _normalisation(preprocessor: nn.Module) -> Tuple[Tensor, Tensor]:
    """Mean and deviation that it takes out, (C or 1, 1, 1), on the CPU."""
    if not hasattr(preprocessor, 'mean'):
        return torch.zeros(1, 1, 1), torch.ones(1, 1, 1)
    return preprocessor.mean.float().cpu(), preprocessor.std.float().cpu()


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
        precision (str): 'fp32', or 'bf16' to run it under autocast in
            bfloat16; a CPU that would only emulate it runs it in fp32. The
            student and all losses stay as they are. Defaults to 'fp32'.
        channels_last (bool): Whether its features are laid out so. Defaults
            to False.

    Attributes:
        scores (dict[str, float]): Results of the last validation before its
            checkpoint was written, as mmengine keeps them there; empty where
            there is none.

    Raises:
        ValueError: If no checkpoint is given, or there is no such precision.
    """

    def __init__(self,
                 config: Union[dict, str],
                 checkpoint: Optional[str] = None,
                 precision: str = 'fp32',
                 channels_last: bool = False):
        if not checkpoint:
            raise ValueError(
                'model.teacher needs a checkpoint, got none. Set '
                'model.teacher.checkpoint to the file of a trained teacher '
                f'(or to the word {RANDOM!r} for an untrained one)')
        if precision not in ('fp32', 'bf16'):
            raise ValueError("model.teacher.precision is 'fp32' or 'bf16', "
                             f'got {precision!r}')
        self.config = config
        self.checkpoint = checkpoint
        self.precision = precision
        self.channels_last = channels_last
        self.scores: Dict[str, float] = {}
        self._network: Optional[nn.Module] = None
        # from the student's images to the teacher's
        self._swap = False
        self._affine: Optional[Tuple[Tensor, Tensor]] = None

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
            if self.channels_last:
                network.to(memory_format=torch.channels_last)
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
        # what only trains it, perhaps with a teacher of its own
        state, own = ({
            key: value
            for key, value in tensors.items()
            if not key.startswith(
                ('auxiliary_head.', 'alignments.', 'data_preprocessor.'))
        } for tensors in (state, network.state_dict()))
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
        self.scores = _scores(loaded.get('message_hub'))
        print_log(
            f'Teacher: all {len(own)} tensors loaded from {self.checkpoint}',
            logger='current')

    def take_images_of(self, student: nn.Module) -> None:
        """Learn what the student's images need to become the teacher's own.

        A teacher without a data preprocessor that converts (the host's
        default) takes the student's images as they are. One with its own gets
        them with its order of channels and its normalisation, what it was
        trained with; where both agree nothing is computed. Either order
        counts from what the student's pipeline loads.

        Args:
            student (nn.Module): Data preprocessor of the student, whose
                output the teacher receives.
        """
        teacher = self.network().data_preprocessor
        self._swap, self._affine = False, None
        if not hasattr(teacher, 'channel_conversion'):
            return
        self._swap = (
            teacher.channel_conversion != getattr(
                student, 'channel_conversion', False))
        given, wanted = _normalisation(student), _normalisation(teacher)
        if self._swap:  # before the teacher's, channel by channel
            given = [values.flip(0) for values in given]
        if not all(map(torch.equal, given, wanted)):
            (mean, std), (own_mean, own_std) = given, wanted
            self._affine = std / own_std, (mean - own_mean) / own_std
        if self._swap or self._affine is not None:
            print_log(
                'The images of the student are converted for the teacher: '
                f'channels {"swapped" if self._swap else "as they are"}, '
                f'mean {wanted[0].flatten().tolist()}, '
                f'std {wanted[1].flatten().tolist()}',
                logger='current')

    def parse_taps(self, names: Sequence[str]) -> List[Tap]:
        """Look tensor names up in the network."""
        return [parse_tap(n, self.network(), 'teacher') for n in names]

    def module(self, path: str) -> nn.Module:
        """A module of the network, for a pass with a gradient."""
        return self.network().get_submodule(path)

    def forward(self, inputs: Tensor,
                taps: Sequence[Tap]) -> Dict[str, Tensor]:
        """Run the teacher and read tensors, without any gradient.

        Args:
            inputs (Tensor): The student's images, (N, 3, H, W).
            taps (Sequence[Tap]): What to read.

        Returns:
            dict[str, Tensor]: The tensors by tap name, in the precision that
            the teacher computed them in.
        """
        network = self.network()
        if next(network.parameters()).device != inputs.device:
            network.to(inputs.device)
        # in fp32 as the student runs, which may be under autocast itself
        context = torch.autocast(
            inputs.device.type,
            torch.bfloat16) if self._in_bf16(inputs) else nullcontext()
        with torch.inference_mode(), context, record(network, taps,
                                                     'teacher') as tensors:
            network(self.convert(inputs), mode='tensor')
        return tensors

    def _in_bf16(self, inputs: Tensor) -> bool:
        return self.precision == 'bf16' and (
            inputs.device.type != 'cpu' or computes_in_bfloat16())

    def convert(self, inputs: Tensor) -> Tensor:
        """The student's images as the teacher wants them, (N, 3, H, W)."""
        if self._swap and inputs.shape[1] == 3:
            inputs = inputs.flip(1)
        if self._affine is not None:
            self._affine = tuple(x.to(inputs) for x in self._affine)
            scale, shift = self._affine
            inputs = inputs * scale + shift
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return inputs
