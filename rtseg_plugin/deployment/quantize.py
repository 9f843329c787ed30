"""INT8 by NNCF's post-training quantisation, held to a drop of mIoU."""
from functools import partial
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from ..utils.deployed_folder import DeploymentError
from ..utils.runtimes import (
    PACKAGES,
    available_cpus,
    need,
    openvino_core,
    openvino_options,
    signal_stack_put_back,
)
from ..utils.timing import in_turns
from .data import (
    CALIBRATION_IMAGES,
    Accuracy,
    ConfigFrames,
    FolderFrames,
    Step,
    Validation,
)

# what only passes on or reshapes a mask, or the weights of an attention
_PASSED_ON = ('Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Convert',
              'Select', 'Concat')
_READERS = ('MatMul', 'ReduceSum', 'Divide')


def kept_in_float(model: Any) -> List[str]:
    """Names of the operations around a softmax that eight bits would harm.

    The sum of products and mask before it: a mask holds -inf, and a range
    that is infinite makes NaN of all. Behind it matrix products and second
    normalisations: weights of an attention are tiny but for a few, so that
    eight bits leave of most of them zero or one step, and quantising there is
    a pass of its own over the largest tensor of the network. A convolution
    reads the result of a second normalisation in eight bits: that one is made
    on the way.

    Args:
        model (openvino.Model): Not quantised.

    Returns:
        list[str]: For NNCF's ignored scope.
    """
    names = set()
    waiting = [op for op in model.get_ops() if op.get_type_name() == 'Softmax']
    for softmax in waiting:
        # products and their mask, itself a sum perhaps; no bias of a layer
        logits = softmax.input_value(0).get_node()
        added = [logits] if any(
            value.get_node().get_type_name() == 'MatMul'
            for value in logits.input_values()) else []
        while added:
            node = added.pop()
            kind = node.get_type_name()
            if kind == 'Add':
                names.add(node.get_friendly_name())
            if kind == 'Add' or kind in _PASSED_ON:
                added += [value.get_node() for value in node.input_values()]
    while waiting:
        for output in waiting.pop().outputs():
            for target in output.get_target_inputs():
                reader = target.get_node()
                if reader.get_type_name() in _READERS:
                    names.add(reader.get_friendly_name())
                elif reader.get_type_name() in _PASSED_ON:
                    waiting.append(reader)
    return sorted(names)


def check_ranges(model: Any) -> None:
    """Refuse what would be NaN, and no error, in the quantised model.

    Args:
        model (openvino.Model): Quantised.

    Raises:
        DeploymentError: If a range is infinite.
    """
    for op in model.get_ops():
        if op.get_type_name() == 'FakeQuantize' and not all(
                np.isfinite(value.get_node().data).all()
                for value in op.input_values()[1:]):
            raise DeploymentError(
                f'{op.get_friendly_name()} was given infinite values, which '
                'eight bits cannot hold: a mask of -inf outside an attention '
                '(one before a softmax stays in float)')


class Quantised(NamedTuple):
    """A quantised model and what was measured.

    Attributes:
        model (openvino.Model): With static or free sizes, as it was given.
        compute (str): What the rest is best computed in, 'f32' or 'bf16'.
        report (dict): Accuracies, milliseconds, share of other labels, what
            was kept in float.
    """
    model: Any
    compute: str
    report: dict


class _Stepper:
    """A compiled model as a step over states, which it keeps as a dict."""

    def __init__(self, model: Any, names: List[str], empty: tuple,
                 compute: str):
        openvino = need(*PACKAGES['openvino'])
        if not isinstance(model, openvino.CompiledModel):
            model = openvino_core().compile_model(
                model, 'CPU', openvino_options(available_cpus(), compute))
        self.model, self.names = model, names
        self.empty = [np.asarray(value) for value in empty]

    def feeds(self, image: np.ndarray, state: Optional[list]) -> dict:
        state = self.empty if state is None else state
        return dict(zip(self.names, (image, *state)))

    def __call__(self, image: np.ndarray,
                 state: Optional[list]) -> Tuple[np.ndarray, list]:
        results = self.model(self.feeds(image, state))
        output, *after = (results[i] for i in range(len(self.model.outputs)))
        return output, after


class _Feeds:
    """Inputs of the float network over the calibration frames."""

    def __init__(self, frames: Union[FolderFrames, ConfigFrames],
                 step: _Stepper):
        self.frames, self.step = frames, step

    def __iter__(self) -> Iterator[dict]:
        for stream in self.frames.streams():
            state = None
            for image in stream:
                yield self.step.feeds(image, state)
                if self.step.empty:
                    state = self.step(image, state)[1]


def _milliseconds(steps: List[Step], image: np.ndarray,
                  runs: int = 10) -> List[float]:
    """Median of each, run in turns."""
    taken = in_turns(
        [partial(step, image, None) for step in steps], runs, warmup=2)
    return (1000 * np.median(taken, 0)).tolist()


@signal_stack_put_back()
def quantize(model: Any, names: List[str], empty: tuple,
             frames: Union[FolderFrames, ConfigFrames],
             validation: Optional[Validation],
             max_drop: float) -> Quantised:
    """Quantise a model.

    Where all that can be quantised loses more than ``max_drop``, operations
    are taken back to float one by one, those that cost most first (NNCF's
    accuracy control).

    Args:
        model (openvino.Model): Normalised images in, logits out.
        names (list[str]): Of its inputs.
        empty (tuple[np.ndarray]): The state before the first frame.
        frames (FolderFrames | ConfigFrames): To calibrate with.
        validation (Validation, optional): To measure the drop with; None
            does not control it.
        max_drop (float): Points of mIoU that may be lost.

    Returns:
        Quantised: The model and what was measured.

    Raises:
        DeploymentError: If more is lost whatever is kept in float, or values
            are infinite.
    """
    nncf = need('nncf', extra='openvino')
    floating = _Stepper(model, names, empty, 'f32')
    feeds = _Feeds(frames, floating)
    dataset = nncf.Dataset(feeds)
    example = next(iter(feeds))[names[0]]
    kept = kept_in_float(model)
    options = dict(
        subset_size=CALIBRATION_IMAGES,
        target_device=nncf.TargetDevice.CPU,
        ignored_scope=nncf.IgnoredScope(names=kept))
    quantised = nncf.quantize(model, dataset, **options)
    check_ranges(quantised)
    report = dict(
        calibration_images=min(len(frames), CALIBRATION_IMAGES),
        calibrated_on=frames.kind,
        kept_in_float=kept)
    wanted = validation.measure(floating) if validation else None
    has_bf16 = 'BF16' in openvino_core().get_property(
        'CPU', 'OPTIMIZATION_CAPABILITIES')
    candidates = ['f32', 'bf16'] if has_bf16 else ['f32']

    def choose(model: Any) -> Tuple[str, float, float, Optional[Accuracy]]:
        """The fastest that loses least enough; else the best."""
        steps = [_Stepper(model, names, empty, c) for c in candidates]
        times = _milliseconds([floating, *steps], example)
        tried = []
        for compute, step, took in zip(candidates, steps, times[1:]):
            got = validation.measure(step) if validation else None
            tried.append((compute, took, times[0], got))
        fit = [one for one in tried
               if wanted is None or wanted.miou - one[3].miou <= max_drop]
        if fit:
            return min(fit, key=lambda one: one[1])
        return max(tried, key=lambda one: one[3].miou)

    compute, took, before, got = choose(quantised)
    if wanted is not None and wanted.miou - got.miou > max_drop:
        report['plain_int8_miou'] = got.miou

        def validate(compiled: Any, data: Any) -> Tuple[float, List[float]]:
            step = _Stepper(compiled, names, empty, compute)
            miou = validation.measure(step).miou / 100
            return miou, [miou]

        quantised = nncf.quantize_with_accuracy_control(
            model,
            calibration_dataset=dataset,
            # one item, the whole set: NNCF would validate for each
            validation_dataset=nncf.Dataset([None]),
            validation_fn=validate,
            max_drop=max_drop / 100,
            **options)
        compute, took, before, got = choose(quantised)
        if wanted.miou - got.miou > max_drop:
            raise DeploymentError(
                f'INT8 loses {wanted.miou - got.miou:.2f} mIoU of '
                f'{wanted.miou:.2f}, more than --max-drop {max_drop}')
    report.update(
        compute=compute,
        threads=available_cpus(),
        network_ms=dict(fp32=before, int8=took),
        other_labels=_other_labels(
            floating, _Stepper(quantised, names, empty, compute), frames),
        quantised_operations=sum(
            op.get_type_name() == 'FakeQuantize'
            for op in quantised.get_ops()))
    if wanted is not None:
        report['accuracy'] = dict(images=wanted.images)
        for precision, one in (('fp32', wanted), ('int8', got)):
            # JSON knows no NaN
            report['accuracy'][precision] = dict(
                miou=one.miou,
                classes=[None if x != x else x for x in one.classes])
    return Quantised(quantised, compute, report)


def _other_labels(floating: Step, quantised: Step,
                  frames: Union[FolderFrames, ConfigFrames],
                  number: int = 8) -> float:
    """Share of the positions of the logits with another label."""
    shares: List[float] = []
    for stream in frames.streams():
        states = [None, None]
        for image in stream:
            want, states[0] = floating(image, states[0])
            got, states[1] = quantised(image, states[1])
            if want.shape[1] == 1:
                differ = (want > 0) != (got > 0)
            else:
                differ = want.argmax(1) != got.argmax(1)
            shares.append(float(differ.mean()))
            if len(shares) == number:
                return float(np.mean(shares))
    return float(np.mean(shares))
